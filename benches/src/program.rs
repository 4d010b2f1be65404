//! The two programs that the harness starts: `serve` and `generate`.

use std::future::Future;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::Result;
use crate::figure::Figure;
use crate::load::{self, Target};
use crate::machine::{allow_many_sockets, stay_on_core};
use crate::process::until_stdin_closes;
use crate::side::Side;
use crate::{ours, raw};

/// The server has one core, the generator the other.
const SERVER_CORE: usize = 0;
const GENERATOR_CORE: usize = 1;

/// `serve <side>`: prints the port and serves until standard input closes.
pub(crate) fn serve(arguments: &[String]) -> Result {
    let [side] = arguments else {
        return Err("serve <side>".into());
    };
    let side = Side::named(side).ok_or("serve: no such side")?;
    stay_on_core(SERVER_CORE);
    let runtime = one_worker()?;
    let served = on_worker(&runtime, async move {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("{}", listener.local_addr()?.port());
        match side {
            Side::Raw => raw::serve(listener).await,
            Side::Sente => ours::serve(listener).await,
        }
    });
    thread::spawn(move || {
        if let Ok(Err(error)) = served.recv() {
            eprintln!("{} server: {error}", side.name());
        }
    });
    until_stdin_closes();
    runtime.shutdown_background();
    Ok(())
}

/// `generate <side> <figure> <port> <process> <milliseconds>`: prints what was measured, a name and
/// a number a line.
pub(crate) fn generate(arguments: &[String]) -> Result {
    let [side, figure, port, process, milliseconds] = arguments else {
        return Err("generate <side> <figure> <port> <process> <milliseconds>".into());
    };
    let side = Side::named(side).ok_or("generate: no such side")?;
    let figure = Figure::named(figure).ok_or("generate: no such figure")?;
    let target = Target {
        port: port.parse()?,
        process: process.parse()?,
        window: Duration::from_millis(milliseconds.parse()?),
    };
    stay_on_core(if figure == Figure::OneCore {
        SERVER_CORE
    } else {
        GENERATOR_CORE
    });
    // It ends with the harness, whatever it is doing.
    thread::spawn(|| {
        until_stdin_closes();
        std::process::exit(1);
    });
    let runtime = one_worker()?;
    let measured = on_worker(&runtime, async move {
        match side {
            Side::Raw => load::measure::<raw::Client>(figure, target).await,
            Side::Sente => load::measure::<ours::Client>(figure, target).await,
        }
    });
    for (name, number) in measured.recv()?? {
        println!("{name} {number}");
    }
    runtime.shutdown_background();
    Ok(())
}

fn one_worker() -> Result<Runtime> {
    allow_many_sockets()?;
    Ok(Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?)
}

/// Runs a task on the worker. What runs in `block_on` would be on a thread of its own, and every
/// wake-up between the two would cost a switch.
fn on_worker<T: Send + 'static>(
    runtime: &Runtime,
    task: impl Future<Output = T> + Send + 'static,
) -> mpsc::Receiver<T> {
    let (done, ended) = mpsc::channel();
    runtime.spawn(async move {
        let _ = done.send(task.await);
    });
    ended
}
