//! What a person can do, and how it is noticed: elements say by `data-do` what they are for, and
//! by `data-to` to what.

use sente_client::{CarrierChoice, Codec};
use tracing::level_filters::LevelFilter;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, Event, HtmlInputElement, HtmlSelectElement};

use crate::dom;
use crate::news::{News, Sender, tell};

/// What a person wants.
#[derive(Debug)]
pub(crate) enum Action {
    // The chat.
    Login(String),
    Logout,
    Join(String),
    Show(String),
    Leave(String),
    Say(String),
    Typing,
    Reply(u64),
    DropReply,
    Again(u64),
    Wave(String),
    ClearRoom,
    // What the buttons send.
    Call,
    Note,
    Burst,
    Loop,
    Connected,
    // What they break.
    Disconnect,
    Reconnect,
    Break,
    Stall,
    Wake,
    Logins,
    // What they choose.
    Carrier(CarrierChoice),
    Codec(Codec),
    Loss(f64),
    Level(LevelFilter),
    ClearConsole,
}

impl Action {
    /// What an element does that is clicked.
    fn of_click(action: &str, to: String) -> Option<Self> {
        Some(match action {
            "logout" => Self::Logout,
            "show" => Self::Show(to),
            "leave" => Self::Leave(to),
            "reply" => Self::Reply(to.parse().ok()?),
            "drop-reply" => Self::DropReply,
            "again" => Self::Again(to.parse().ok()?),
            "wave" => Self::Wave(to),
            "clear-room" => Self::ClearRoom,
            "call" => Self::Call,
            "note" => Self::Note,
            "burst" => Self::Burst,
            "loop" => Self::Loop,
            "connected" => Self::Connected,
            "disconnect" => Self::Disconnect,
            "reconnect" => Self::Reconnect,
            "break" => Self::Break,
            "stall" => Self::Stall,
            "wake" => Self::Wake,
            "logins" => Self::Logins,
            "clear-console" => Self::ClearConsole,
            _ => return None,
        })
    }

    /// What is done with the text in a form's only field.
    fn of_form(form: &str, text: String) -> Option<Self> {
        Some(match form {
            "login" => Self::Login(text),
            "join" => Self::Join(text.trim_start_matches('#').to_owned()),
            "say" => Self::Say(text),
            _ => return None,
        })
    }

    /// What is chosen.
    fn of_choice(choice: &str, value: &str) -> Option<Self> {
        Some(match choice {
            "carrier" => Self::Carrier(match value {
                "websocket" => CarrierChoice::WebSocket,
                "poll" => CarrierChoice::Poll,
                _ => CarrierChoice::Auto,
            }),
            "codec" => Self::Codec(Codec::named(value)?),
            "loss" => Self::Loss(value.parse().ok()?),
            "level" => Self::Level(value.parse().ok()?),
            _ => return None,
        })
    }
}

/// Notices what a person does, as long as the page lives.
pub(crate) fn listen(news: &Sender) {
    let act = {
        let news = news.clone();
        move |action: Option<Action>| {
            if let Some(action) = action {
                tell(&news, News::Action(action));
            }
        }
    };
    let document = dom::document();

    let clicked = act.clone();
    dom::on(&document, "click", move |event: Event| {
        clicked(closest(&event, "[data-do]").and_then(|element| {
            let action = element.get_attribute("data-do")?;
            Action::of_click(
                &action,
                element.get_attribute("data-to").unwrap_or_default(),
            )
        }));
    });

    let sent = act.clone();
    dom::on(&document, "submit", move |event: Event| {
        let Some(form) = closest(&event, "[data-form]") else {
            return;
        };
        event.prevent_default();
        let field = form.query_selector("input").ok().flatten();
        if let (Some(name), Some(field)) = (form.get_attribute("data-form"), field) {
            let field: HtmlInputElement = field.unchecked_into();
            sent(Action::of_form(&name, field.value().trim().to_owned()));
        }
    });

    let typed = act.clone();
    dom::on(&dom::by_id("text"), "input", move |_: Event| {
        typed(Some(Action::Typing));
    });

    dom::on(&document, "change", move |event: Event| {
        act(chosen(&event).and_then(|(choice, value)| Action::of_choice(&choice, &value)));
    });

    tick(news);
}

fn closest(event: &Event, selector: &str) -> Option<Element> {
    let target = event.target()?.dyn_into::<Element>().ok()?;
    target.closest(selector).ok().flatten()
}

/// The name and the value of what was chosen.
fn chosen(event: &Event) -> Option<(String, String)> {
    let target = event.target()?;
    if let Some(select) = target.dyn_ref::<HtmlSelectElement>() {
        return Some((select.name(), select.value()));
    }
    let input = target.dyn_into::<HtmlInputElement>().ok()?;
    Some((input.name(), input.value()))
}

/// Tells what time it is, for what counts down or fades. Hidden pages have nothing to show.
fn tick(news: &Sender) {
    let news = news.clone();
    let tick = Closure::<dyn FnMut()>::new(move || {
        if !dom::document().hidden() {
            tell(&news, News::Tick);
        }
    });
    dom::window()
        .set_interval_with_callback_and_timeout_and_arguments_0(tick.as_ref().unchecked_ref(), 500)
        .expect("a page has timers");
    tick.forget();
}
