//! The pairs whose variants differ, and not their fields.

/// Two versions, each of which is written out.
macro_rules! pair {
    ($module:ident old { $($old:tt)* } new { $($new:tt)* }) => {
        pub(crate) mod $module {
            pub(crate) mod old {
                #[allow(unused_imports)]
                use crate::prelude::*;
                $($old)*
            }
            pub(crate) mod new {
                #[allow(unused_imports)]
                use crate::prelude::*;
                $($new)*
            }
        }
    };
}

/// One whose event and call are the usual ones.
macro_rules! plain {
    ($namespace:literal) => {
        attributes! { $namespace [] {}
            { #[to_server] #[to_client] Tell tell }
            { #[to_server(reply = String)] #[to_client(reply = String)] Ask ask call -> String = |text| text }
        }
    };
}

pair! { docs
    old { plain! { "docs" } }
    new {
        attributes! { "docs" [] {}
            { /// Tells.
              #[to_server] #[to_client] Tell tell }
            { /// Asks.
              #[to_server(reply = String)] #[to_client(reply = String)] Ask ask call -> String = |text| text }
        }
    }
}

pair! { timeout
    old { plain! { "timeout" } }
    new {
        attributes! { "timeout" [] {}
            { #[to_server] #[to_client] Tell tell }
            { #[to_server(reply = String, timeout = "5s")] #[to_client(reply = String, timeout = "7s")]
              Ask ask call -> String = |text| text }
        }
    }
}

pair! { delivery
    old { plain! { "delivery" } }
    new {
        attributes! { "delivery" [] {}
            { #[to_server(delivery = latest)] #[to_client(delivery = latest)] Tell tell }
            { #[to_server(reply = String)] #[to_client(reply = String)] Ask ask call -> String = |text| text }
        }
    }
}

pair! { reordered
    old { plain! { "reordered" } }
    new {
        version! {
            "reordered" []
            {}
            {
                #[to_server(reply = String)]
                #[to_client(reply = String)]
                Ask { text: String },
                #[to_server]
                #[to_client]
                Tell { text: String },
            }
            server { tell(text: String); ask(text: String) -> String = |text| text; }
            client { tell(text: String); ask(text: String) -> String = |text| text; }
            tell { Tell tell 1 (text = "hi".to_owned()) yes yes event }
            ask { Ask ask 0 (text = "hi".to_owned()) yes yes call }
        }
    }
}

pair! { renamed_with_its_name
    old { plain! { "renamed_with_its_name" } }
    new {
        attributes! { "renamed_with_its_name" [] {}
            { #[event(name = "tell")] #[to_server] #[to_client] Say say }
            { #[event(name = "ask")] #[to_server(reply = String)] #[to_client(reply = String)]
              Question question call -> String = |text| text }
        }
    }
}

pair! { renamed
    old { plain! { "renamed" } }
    new {
        attributes! { "renamed" [] {}
            { #[to_server] #[to_client] Say say }
            { #[to_server(reply = String)] #[to_client(reply = String)]
              Question question call -> String = |text| text }
        }
    }
}

pair! { added
    old { version! { "added" [] {} {} server {} client {} tell {} ask {} } }
    new { plain! { "added" } }
}

pair! { turned
    old {
        version! {
            "turned" []
            {}
            {
                #[to_server]
                Tell { text: String },
                #[to_server(reply = String)]
                Ask { text: String },
            }
            server { tell(text: String); ask(text: String) -> String = |text| text; }
            client {}
            tell { Tell tell 0 (text = "hi".to_owned()) yes no event }
            ask { Ask ask 1 (text = "hi".to_owned()) yes no call }
        }
    }
    new {
        version! {
            "turned" []
            {}
            {
                #[to_client]
                Tell { text: String },
                #[to_client(reply = String)]
                Ask { text: String },
            }
            server {}
            client { tell(text: String); ask(text: String) -> String = |text| text; }
            tell { Tell tell 0 (text = "hi".to_owned()) no yes event }
            ask { Ask ask 1 (text = "hi".to_owned()) no yes call }
        }
    }
}

pair! { both_ways
    old {
        version! {
            "both_ways" []
            {}
            {
                #[to_server]
                Tell { text: String },
                #[to_server(reply = String)]
                Ask { text: String },
            }
            server { tell(text: String); ask(text: String) -> String = |text| text; }
            client {}
            tell { Tell tell 0 (text = "hi".to_owned()) yes no event }
            ask { Ask ask 1 (text = "hi".to_owned()) yes no call }
        }
    }
    new { plain! { "both_ways" } }
}

pair! { reply
    old {
        attributes! { "reply" [] {}
            { #[to_server] #[to_client] Tell tell }
            { #[to_server(reply = u32)] #[to_client(reply = u32)] Ask ask call -> u32 = |_| 3 }
        }
    }
    new {
        attributes! { "reply" [] {}
            { #[to_server] #[to_client] Tell tell }
            { #[to_server(reply = i32)] #[to_client(reply = i32)] Ask ask call -> i32 = |_| 3 }
        }
    }
}

pair! { error
    old {
        attributes! { "error" [] {}
            { #[to_server] #[to_client] Tell tell }
            { #[to_server(reply = u32, error = u32)] #[to_client(reply = u32, error = u32)]
              Ask ask call -> Result<u32, u32> = |_| Err(3) }
        }
    }
    new {
        attributes! { "error" [] {}
            { #[to_server] #[to_client] Tell tell }
            { #[to_server(reply = u32, error = i32)] #[to_client(reply = u32, error = i32)]
              Ask ask call -> Result<u32, i32> = |_| Err(3) }
        }
    }
}

pair! { error_added
    old {
        attributes! { "error_added" [] {}
            { #[to_server] #[to_client] Tell tell }
            { #[to_server(reply = u32)] #[to_client(reply = u32)] Ask ask call -> u32 = |_| 3 }
        }
    }
    new {
        attributes! { "error_added" [] {}
            { #[to_server] #[to_client] Tell tell }
            { #[to_server(reply = u32, error = u32)] #[to_client(reply = u32, error = u32)]
              Ask ask call -> Result<u32, u32> = |_| Err(3) }
        }
    }
}

pair! { call
    old {
        attributes! { "call" [] {}
            { #[to_server] #[to_client] Tell tell }
            { #[to_server] #[to_client] Ask ask event }
        }
    }
    new {
        attributes! { "call" [] {}
            { #[to_server] #[to_client] Tell tell }
            { #[to_server(reply = String)] #[to_client(reply = String)] Ask ask call -> String = |text| text }
        }
    }
}

pair! { handshake
    old {
        attributes! { "handshake" [handshake = Welcome]
            { types! { pub(crate) struct Welcome { users: u32 } } impl Welcome { fn value() -> Self { Self { users: 3 } } } }
            { #[to_server] #[to_client] Tell tell }
            { #[to_server(reply = String)] #[to_client(reply = String)] Ask ask call -> String = |text| text }
        }
    }
    new {
        attributes! { "handshake" [handshake = Welcome]
            { types! { pub(crate) struct Welcome { users: i32 } } impl Welcome { fn value() -> Self { Self { users: 3 } } } }
            { #[to_server] #[to_client] Tell tell }
            { #[to_server(reply = String)] #[to_client(reply = String)] Ask ask call -> String = |text| text }
        }
    }
}
