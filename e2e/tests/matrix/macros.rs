//! What writes down a version of a contract: the enum, its handlers, and how its events are sent.

/// Types that derive what a type of a contract does.
macro_rules! types {
    ($($item:item)*) => {
        $(
            #[derive(Deserialize, Serialize, sente::Schema)]
            $item
        )*
    };
}

/// A version of the contract `Chat` within the namespace that is given.
///
/// Handlers write down what they understand, as JSON. `= value` behind a handler is its reply; the
/// usual one, `understood`, is what it has understood.
macro_rules! version {
    (
        $namespace:literal [$($options:tt)*]
        { $($item:item)* }
        { $($body:tt)* }
        server { $($server:tt)* }
        client { $($client:tt)* }
        tell { $($tell:tt)* }
        ask { $($ask:tt)* }
    ) => {
        $($item)*

        /// The contract.
        #[sente::events(namespace = $namespace, $($options)*)]
        pub(crate) enum Chat {
            $($body)*
            #[to_server(reply = u8)]
            #[to_client(reply = u8)]
            Still { number: u8 },
        }

        impl ChatServer for Recorder {
            handlers! { $namespace, Peer, $($server)* }
        }

        impl ChatClient for Recorder {
            handlers! { $namespace, Link, $($client)* }
        }

        pub(crate) fn version() -> Version {
            Version {
                namespace: $namespace,
                serve: |builder, recorder| serve!(builder, recorder, $($options)*),
                client: |recorder| Chat::client(recorder),
                tell: sends!($($tell)*),
                ask: sends!($($ask)*),
                still: Sends {
                    to_server: Some(|client| {
                        let call = Chat::to_server(client).still(7);
                        Box::pin(async { Outcome::from(call.await) })
                    }),
                    to_client: Some(|peer| {
                        let call = Chat::to_client(peer).still(7);
                        Box::pin(async { Outcome::from(call.await) })
                    }),
                    text: || json(&7),
                    encode: |_| None,
                    decode: |_, _| None,
                },
                told: |client| client.handshake::<Chat>().unwrap().as_ref().map(json),
                contract: sente_schema::Contract::of::<Chat>,
            }
        }
    };
}

macro_rules! handlers {
    ($namespace:literal, $from:ident, $($method:ident($($field:ident: $ty:ty),*) $(-> $reply:ty = $value:expr)?;)*) => {
        $(
            async fn $method(&self, _from: &$from, $($field: $ty),*) $(-> $reply)? {
                let understood = named!($($field),*);
                self.heard($namespace, &understood);
                answer!(self, $namespace, understood $(, $reply, $value)?)
            }
        )*

        async fn still(&self, _from: &$from, number: u8) -> u8 {
            number
        }
    };
}

macro_rules! serve {
    ($builder:ident, $recorder:ident, handshake = $welcome:ident) => {
        $builder
            .serve(|_| Chat::server($recorder))
            .handshake::<Chat>(|_| $welcome::value())
    };
    ($builder:ident, $recorder:ident,) => {
        $builder.serve(|_| Chat::server($recorder))
    };
}

macro_rules! answer {
    ($recorder:expr, $namespace:literal, $understood:ident) => {
        drop($understood)
    };
    ($recorder:expr, $namespace:literal, $understood:ident, $reply:ty, $value:expr) => {{
        let answer: fn(String) -> $reply = $value;
        let answer = answer($understood);
        $recorder.answered($namespace, &json(&answer));
        answer
    }};
}

/// Fields as JSON, with their names.
macro_rules! named {
    ($($field:ident),*) => {
        serde_json::json!({ $(stringify!($field): &$field),* }).to_string()
    };
}

/// How an event or call is sent: its variant, its method, its place, its fields, and whether to the
/// server and to the client.
macro_rules! sends {
    () => { None };
    ($variant:ident $method:ident $place:literal ($($field:ident = $value:expr),*) $to_server:tt $to_client:tt $kind:tt) => {
        Some(Sends {
            to_server: way!(to_server $to_server $kind $method ($($value),*)),
            to_client: way!(to_client $to_client $kind $method ($($value),*)),
            text: || {
                $(let $field = $value;)*
                named!($($field),*)
            },
            encode: |codec| encode(codec, &Chat::$variant { $($field: $value),* }),
            decode: |codec, bytes| match decode::<Chat>(codec, $place, bytes)? {
                Chat::$variant { $($field),* } => Some(named!($($field),*)),
                _ => None,
            },
        })
    };
}

macro_rules! way {
    ($direction:ident no $kind:tt $method:ident ($($value:expr),*)) => { None };
    ($direction:ident yes event $method:ident ($($value:expr),*)) => {
        Some(|other| {
            let outcome = Outcome::from(Chat::$direction(other).$method($($value),*));
            Box::pin(std::future::ready(outcome))
        })
    };
    ($direction:ident yes call $method:ident ($($value:expr),*)) => {
        Some(|other| {
            let call = Chat::$direction(other).$method($($value),*);
            Box::pin(async { Outcome::from(call.await) })
        })
    };
}

/// Two versions whose event and call have these fields and are alike in all else.
macro_rules! fields {
    (
        $module:ident $namespace:literal
        { $($old_item:item)* } ($($(#[$old_meta:meta])* $old:ident: $old_ty:ty = $old_value:expr),* $(,)?)
        { $($new_item:item)* } ($($(#[$new_meta:meta])* $new:ident: $new_ty:ty = $new_value:expr),* $(,)?)
    ) => {
        pub(crate) mod $module {
            pub(crate) mod old {
                #[allow(unused_imports)]
                use crate::prelude::*;
                usual! { $namespace { $($old_item)* } ($($(#[$old_meta])* $old: $old_ty = $old_value),*) }
            }
            pub(crate) mod new {
                #[allow(unused_imports)]
                use crate::prelude::*;
                usual! { $namespace { $($new_item)* } ($($(#[$new_meta])* $new: $new_ty = $new_value),*) }
            }
        }
    };
}

macro_rules! usual {
    ($namespace:literal { $($item:item)* } ($($(#[$meta:meta])* $field:ident: $ty:ty = $value:expr),*)) => {
        version! {
            $namespace []
            { $($item)* }
            {
                #[to_server]
                #[to_client]
                Tell { $($(#[$meta])* $field: $ty),* },
                #[to_server(reply = String)]
                #[to_client(reply = String)]
                Ask { $($(#[$meta])* $field: $ty),* },
            }
            server {
                tell($($field: $ty),*);
                ask($($field: $ty),*) -> String = |understood| understood;
            }
            client {
                tell($($field: $ty),*);
                ask($($field: $ty),*) -> String = |understood| understood;
            }
            tell { Tell tell 0 ($($field = $value),*) yes yes event }
            ask { Ask ask 1 ($($field = $value),*) yes yes call }
        }
    };
}

/// A version whose event and call have one text, and these attributes.
macro_rules! attributes {
    (
        $namespace:literal [$($options:tt)*]
        { $($item:item)* }
        { $(#[$tell_meta:meta])* $Tell:ident $tell:ident }
        { $(#[$ask_meta:meta])* $Ask:ident $ask:ident $kind:ident $(-> $reply:ty = $answer:expr)? }
    ) => {
        version! {
            $namespace [$($options)*]
            { $($item)* }
            {
                $(#[$tell_meta])*
                $Tell { text: String },
                $(#[$ask_meta])*
                $Ask { text: String },
            }
            server { $tell(text: String); $ask(text: String) $(-> $reply = $answer)?; }
            client { $tell(text: String); $ask(text: String) $(-> $reply = $answer)?; }
            tell { $Tell $tell 0 (text = "hi".to_owned()) yes yes event }
            ask { $Ask $ask 1 (text = "hi".to_owned()) yes yes $kind }
        }
    };
}
