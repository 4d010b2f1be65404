//! What the network between clients and server does, and how often.

use std::ops::Range;
use std::time::Duration;

use sente_proto::Carrier;

use crate::Fault;

/// A network that misbehaves by a seed.
///
/// A WebSocket on it is what TCP makes of a bad line: an ordered stream that is late, stalls, is cut,
/// or goes dead without a word. HTTP exchanges are lost one by one, in either direction, overtake
/// each other, break off in the middle, and are repeated.
///
/// ```
/// use sente_test::{Network, ms, secs};
///
/// let network = Network::seeded(7)
///     .delay(ms(50)..ms(400))
///     .loss(0.2)
///     .half_open_every(secs(5));
/// assert_eq!(network.seed(), 7);
/// ```
#[derive(Clone, Debug)]
pub struct Network {
    pub(crate) seed: u64,
    pub(crate) socket: Way,
    pub(crate) post: Way,
    pub(crate) repeat: f64,
    pub(crate) breaks_off: f64,
    pub(crate) bytes_per_second: u64,
    pub(crate) sockets: Vec<Sockets>,
    pub(crate) blocks_posts: bool,
    pub(crate) faults: Vec<(Fault, Duration)>,
}

/// What becomes of what goes by one kind of carrier.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) delay: Range<Duration>,
    pub(crate) loss: f64,
}

/// What becomes of a WebSocket that is dialled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Sockets {
    /// It opens.
    Work,
    /// A proxy answers the upgrade with an error.
    Refused,
    /// A proxy accepts the upgrade and passes nothing on.
    Swallowed,
    /// A proxy accepts the upgrade and passes on what the client says, and nothing of the server's.
    Deaf,
    /// A proxy accepts the upgrade and says something of its own first.
    Greeted,
    /// It opens, and is cut within 2 s.
    Brief,
    /// Nothing answers.
    Hang,
}

impl Network {
    /// A good network: nothing is lost, everything takes 5 to 40 ms. What chance decides, `seed`
    /// does.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let way = Way {
            delay: Duration::from_millis(5)..Duration::from_millis(40),
            loss: 0.0,
        };
        Self {
            seed,
            socket: way.clone(),
            post: way,
            repeat: 0.0,
            breaks_off: 0.0,
            bytes_per_second: 4 * 1024 * 1024,
            sockets: vec![Sockets::Work],
            blocks_posts: false,
            faults: Vec::new(),
        }
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How long everything is under way: the less at its least, and as much more by chance as the
    /// range is wide. Default 5 to 40 ms.
    #[must_use]
    pub fn delay(mut self, delay: Range<Duration>) -> Self {
        self.socket.delay = delay.clone();
        self.post.delay = delay;
        self
    }

    /// How probable it is that a request is lost, or its response, or that a message on a WebSocket
    /// has to be sent again by TCP and stalls those behind it. Default 0.
    #[must_use]
    pub fn loss(mut self, probability: f64) -> Self {
        self.socket.loss = probability;
        self.post.loss = probability;
        self
    }

    /// [`delay`](Self::delay) and [`loss`](Self::loss) of one carrier alone.
    #[must_use]
    pub fn only(mut self, carrier: Carrier, delay: Range<Duration>, loss: f64) -> Self {
        let way = Way { delay, loss };
        match carrier {
            Carrier::WebSocket => self.socket = way,
            Carrier::Poll => self.post = way,
        }
        self
    }

    /// How probable it is that a server sees a request twice, the second time up to 10 s later.
    /// Default 0.
    #[must_use]
    pub fn repeat(mut self, probability: f64) -> Self {
        self.repeat = probability;
        self
    }

    /// How probable it is that a response breaks off in the middle of its last frame. Half of the
    /// clients notice that by its length, as those of a [`Net`](crate::Net) always do, and half take
    /// what came for all of it. Default 0.
    #[must_use]
    pub fn breaks_off(mut self, probability: f64) -> Self {
        self.breaks_off = probability;
        self
    }

    /// How much one WebSocket carries in each direction. Default 4 MiB a second.
    #[must_use]
    pub fn bytes_per_second(mut self, bytes: u64) -> Self {
        self.bytes_per_second = bytes.max(1);
        self
    }

    /// What becomes of WebSockets that are dialled: each time one of these, by chance. Default: they
    /// work.
    ///
    /// # Panics
    /// If there are none.
    #[must_use]
    pub fn sockets(mut self, sockets: &[Sockets]) -> Self {
        assert!(!sockets.is_empty(), "a WebSocket has to do something");
        self.sockets = sockets.to_vec();
        self
    }

    /// A proxy answers every request of long polling with an error. Default: it does not.
    #[must_use]
    pub fn blocks_posts(mut self) -> Self {
        self.blocks_posts = true;
        self
    }

    /// Cuts a client's WebSocket about so often, within a message or between two. Both sides are
    /// told.
    #[must_use]
    pub fn cut_every(self, mean: Duration) -> Self {
        self.fault_every(Fault::Cut, mean)
    }

    /// Lets a client's WebSocket go dead about so often, one way or both. Nobody is told.
    #[must_use]
    pub fn half_open_every(self, mean: Duration) -> Self {
        self.fault_every(Fault::HalfOpen, mean)
    }

    /// Takes a client's whole network away about so often, for up to 10 s.
    #[must_use]
    pub fn offline_every(self, mean: Duration) -> Self {
        self.fault_every(Fault::Offline, mean)
    }

    fn fault_every(mut self, fault: Fault, mean: Duration) -> Self {
        self.faults.push((fault, mean));
        self
    }

    pub(crate) fn way(&self, carrier: Carrier) -> &Way {
        match carrier {
            Carrier::WebSocket => &self.socket,
            Carrier::Poll => &self.post,
        }
    }

    /// Whether nothing goes wrong on it, and quickly so.
    pub(crate) fn is_calm(&self) -> bool {
        self.is_sound() && self.sockets == [Sockets::Work]
    }

    /// Whether nothing goes wrong with a carrier that has been welcomed.
    pub(crate) fn is_sound(&self) -> bool {
        let fast = Duration::from_millis(100);
        self.socket.delay.end <= fast
            && self.post.delay.end <= fast
            && self.bytes_per_second >= 1024 * 1024
            && self.socket.loss == 0.0
            && self.post.loss == 0.0
            && self.repeat == 0.0
            && self.breaks_off == 0.0
            && !self.blocks_posts
            && !self.sockets.contains(&Sockets::Brief)
            && self.faults.is_empty()
    }

    /// Nothing goes wrong any more. A proxy that never lets a WebSocket through goes on doing so.
    pub(crate) fn calm_down(&mut self) {
        self.socket.loss = 0.0;
        self.post.loss = 0.0;
        self.repeat = 0.0;
        self.breaks_off = 0.0;
        if self.sockets.contains(&Sockets::Work) {
            self.sockets = vec![Sockets::Work];
        }
    }
}
