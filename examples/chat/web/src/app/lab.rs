//! What the buttons send, and what comes of it.

use chat_contract::{Device, Lab, LabToServer};
use wasm_bindgen_futures::spawn_local;
use web_sys::Element;

use super::App;
use crate::news::{News, tell};
use crate::{account, console, dom};

/// The pushes that come at once, as one line of the console.
pub(super) struct Burst {
    line: Element,
    started: f64,
    /// How many have come.
    count: u32,
    /// How many did not come when it was their turn.
    out_of_order: u32,
    last: u32,
}

impl App {
    fn lab(&self) -> LabToServer {
        Lab::to_server(&self.connection.client)
    }

    pub(super) fn call(&mut self) {
        self.calls += 1;
        let text = format!("call {}", self.calls);
        let call = self.lab().echo(&*text);
        spawn_local(async move {
            let start = dom::now();
            match call.await {
                Ok(reply) => {
                    let took = dom::now() - start;
                    console::note(&format!("“{reply}” was answered in {took:.0} ms"))
                }
                Err(error) if error.maybe_executed() => {
                    console::warn(&format!("“{text}” may have been handled or not: {error}"))
                }
                Err(error) => console::warn(&format!("“{text}” was not handled: {error}")),
            };
        });
    }

    pub(super) fn note(&mut self) {
        self.calls += 1;
        let text = format!("note {}", self.calls);
        match self.lab().note(&*text) {
            Ok(()) => console::note(&format!("“{text}” is on its way")),
            Err(error) => console::warn(&format!("“{text}” was not sent: {error}")),
        };
    }

    pub(super) fn start_burst(&self) {
        if let Err(error) = self.lab().burst() {
            console::warn(&format!("no pushes were asked for: {error}"));
        }
    }

    pub(super) fn toggle_loop(&self) {
        if let Err(error) = self.lab().toggle_loop() {
            console::warn(&format!("the loop stays as it is: {error}"));
        }
    }

    pub(super) fn ask_connected(&self) {
        let call = self.lab().connected();
        spawn_local(async move {
            match call.await {
                Ok(devices) => {
                    let devices: Vec<_> = devices.iter().map(in_words).collect();
                    console::note(&format!("connected: {}", devices.join("; ")))
                }
                Err(error) => console::warn(&format!("who is connected? {error}")),
            };
        });
    }

    /// What the server pushes for these buttons.
    pub(super) fn pushed(&mut self, event: Lab) {
        match event {
            Lab::Noted { text } => _ = console::note(&format!("“{text}” has come to the server")),
            Lab::Pushed { number, of } => self.burst(number, of),
            Lab::Looping { on } => {
                show_looping(on);
                let what = if on { "runs" } else { "has ended" };
                console::note(&format!("the loop of pushes {what}"));
            }
            Lab::Tick { number, users } => {
                show_looping(true);
                console::note(&format!(
                    "push {number} of the loop; here: {}",
                    users.join(", ")
                ));
            }
            // The others go to the server.
            _ => {}
        }
    }

    fn burst(&mut self, number: u32, of: u32) {
        if number == 1 || self.burst.is_none() {
            self.burst = Some(Burst {
                line: console::note(""),
                started: dom::now(),
                count: 0,
                out_of_order: 0,
                last: 0,
            });
        }
        let Some(burst) = &mut self.burst else {
            return;
        };
        burst.count += 1;
        burst.out_of_order += u32::from(number != burst.last + 1);
        burst.last = number;
        let order = match burst.out_of_order {
            0 => "in order".to_owned(),
            some => format!("{some} out of order"),
        };
        let took = dom::now() - burst.started;
        let count = burst.count;
        console::rewrite(
            &burst.line,
            &format!("{count} of {of} pushes have come, {order}, in {took:.0} ms"),
        );
    }

    /// Logs in as one after the other, and at last as who we are.
    pub(super) fn repeat_logins(&self) {
        let client = self.connection.client.clone();
        let (news, me) = (self.news.clone(), self.me.clone());
        spawn_local(async move {
            let start = dom::now();
            let mut count = 0;
            for number in 0..=10 {
                if let Err(error) = account::login(&format!("guest-{number}")).await {
                    console::warn(&format!("log-in {number} failed: {error}"));
                    break;
                }
                client.reconnect();
                if let Err(error) = client.ready().await {
                    console::warn(&format!("log-in {number} failed: {error}"));
                    break;
                }
                count += 1;
            }
            let took = dom::now() - start;
            console::note(&format!(
                "{count} log-ins in {took:.0} ms, each with its own session"
            ));
            if let Some(me) = me {
                let result = account::login(&me).await;
                tell(&news, News::LoggedIn(result.map(|()| me)));
            }
        });
    }
}

fn show_looping(looping: bool) {
    let button = dom::document().query_selector("[data-do=loop]");
    if let Ok(Some(button)) = button {
        dom::set(
            &button,
            "aria-pressed",
            if looping { "true" } else { "false" },
        );
    }
}

fn in_words(device: &Device) -> String {
    let Device {
        user,
        device,
        carrier,
    } = device;
    match device {
        Some(device) => format!("{user}, {device} by {carrier}"),
        None => format!("{user} by {carrier}"),
    }
}
