//! The golden frames.
//!
//! Left of `--` are the bytes in hex, right of it is what they say.
use std::time::Duration;

use bytes::Bytes;
use sente_proto::codec::Codec;
use sente_proto::contract::{Table, TableEvent, TableReply, Way};
use sente_proto::frame::{
    Acknowledge, Answer, Authenticate, Data, Failure, Frame, Hello, Item, Offer, Outcome, Request,
    Resume, Terms, Welcome,
};
use sente_proto::{
    Close, CloseReason, FreshReason, Refused, RefusedReason, ResumeSecret, Secret, SessionId,
};

const ATTEMPT: u128 = 0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f;
const SESSION: SessionId = SessionId::new(0x1011_1213_1415_1617_1819_1a1b_1c1d_1e1f);
const SECRET: ResumeSecret = ResumeSecret::new(0x2021_2223_2425_2627_2829_2a2b_2c2d_2e2f);
const DIGEST: u128 = 0x3031_3233_3435_3637_3839_3a3b_3c3d_3e3f;

/// One frame in both encodings. The frame differs between them by its codec and payloads only.
pub(crate) struct Golden {
    pub(crate) frame: fn(Codec) -> Frame,
    pub(crate) binary: &'static str,
    pub(crate) text: &'static str,
}

pub(crate) const ALL: &[Golden] = &[
    HELLO,
    HELLO_AGAIN,
    WELCOME,
    WELCOME_TABLES,
    REFUSED,
    TABLES,
    REQUEST,
    BRIEF,
    CLOSE,
    CLOSE_RETRY,
    AUTHENTICATE,
    EXPIRES,
    PING,
    PONG,
    DATA_EMPTY,
    DATA_ACK,
    DATA_ITEMS,
    DATA_REPLIES,
];

// ANCHOR: hello
const HELLO: Golden = Golden {
    frame: |codec| {
        Frame::Hello(Box::new(Hello {
            version: 1,
            codec: codec.name().to_owned(),
            attempt: ATTEMPT,
            epoch: 1,
            namespaces: vec![Offer {
                name: "chat".to_owned(),
                digest: DIGEST,
                events: 12,
            }],
            token: None,
            csrf: None,
            device: None,
            resume: None,
        }))
    },
    binary: "
        01                               -- kind: hello
        01                               -- version
        07 62696e636f6465                -- codec: bincode
        000102030405060708090a0b0c0d0e0f -- attempt
        01                               -- epoch
        00                               -- flags: neither token nor csrf, device, resume
        01                               -- 1 namespace
        04 63686174                      -- its name: chat
        303132333435363738393a3b3c3d3e3f -- its digest
        0c                               -- its events: 12
    ",
    text: r#"{"hello":{"version":1,"codec":"json","attempt":"000102030405060708090a0b0c0d0e0f","epoch":1,"namespaces":[{"name":"chat","digest":"303132333435363738393a3b3c3d3e3f","events":12}]}}"#,
};
// ANCHOR_END: hello

// ANCHOR: hello_again
const HELLO_AGAIN: Golden = Golden {
    frame: |codec| {
        Frame::Hello(Box::new(Hello {
            version: 1,
            codec: codec.name().to_owned(),
            attempt: ATTEMPT,
            epoch: 2,
            namespaces: vec![],
            token: Some(Secret::new("abc".to_owned())),
            csrf: Some(Secret::new("xyz".to_owned())),
            device: Some("phone".to_owned()),
            resume: Some(Resume {
                session: SESSION,
                secret: SECRET,
                acknowledge: Acknowledge {
                    received: 12,
                    credit: 268,
                },
            }),
        }))
    },
    binary: "
        01                               -- kind: hello
        01                               -- version
        07 62696e636f6465                -- codec: bincode
        000102030405060708090a0b0c0d0e0f -- attempt
        02                               -- epoch
        0f                               -- flags: token, csrf, device and resume
        03 616263                        -- token: abc
        03 78797a                        -- csrf: xyz
        05 70686f6e65                    -- device: phone
        101112131415161718191a1b1c1d1e1f -- resume: session
        202122232425262728292a2b2c2d2e2f -- resume: secret
        0c                               -- resume: received 12
        8c 02                            -- resume: credit 268
        00                               -- no namespaces
    ",
    text: r#"{"hello":{"version":1,"codec":"json","attempt":"000102030405060708090a0b0c0d0e0f","epoch":2,"token":"abc","csrf":"xyz","device":"phone","resume":{"session":"101112131415161718191a1b1c1d1e1f","secret":"202122232425262728292a2b2c2d2e2f","ack":[12,268]},"namespaces":[]}}"#,
};
// ANCHOR_END: hello_again

// ANCHOR: welcome
const WELCOME: Golden = Golden {
    frame: |codec| {
        Frame::Welcome(Box::new(Welcome {
            session: SESSION,
            secret: SECRET,
            epoch: 1,
            server: 0x0123_4567_89ab_cdef,
            fresh: Some(FreshReason::First),
            user: Some("ann".to_owned()),
            acknowledge: Acknowledge {
                received: 0,
                credit: 256,
            },
            terms: Terms {
                max_message: 262_144,
                window: Duration::from_secs(120),
                silence: Duration::from_secs(30),
                poll_hold: Duration::from_secs(25),
            },
            namespaces: vec![Answer {
                name: "chat".to_owned(),
                events: 12,
                table: None,
            }],
            handshake: vec![("chat".to_owned(), value(codec, "hi"))],
        }))
    },
    binary: "
        02                               -- kind: welcome
        101112131415161718191a1b1c1d1e1f -- session
        202122232425262728292a2b2c2d2e2f -- secret
        01                               -- epoch
        0123456789abcdef                 -- server
        01                               -- fresh: first
        01 03 616e6e                     -- user: ann
        00                               -- received 0
        80 02                            -- credit 256
        80 80 10                         -- max_message: 262144 bytes
        c0 a9 07                         -- window: 120000 ms
        b0 ea 01                         -- silence: 30000 ms
        a8 c3 01                         -- poll_hold: 25000 ms
        01                               -- 1 namespace
        04 63686174                      -- its name: chat
        0c                               -- its events: 12
        00                               -- its table: equal, so not sent
        01                               -- handshake data of 1 namespace
        04 63686174                      -- its name: chat
        03 02 6869                       -- its value: what bincode made of 'hi'
    ",
    text: r#"{"welcome":{"session":"101112131415161718191a1b1c1d1e1f","secret":"202122232425262728292a2b2c2d2e2f","epoch":1,"server":"0123456789abcdef","fresh":"first","user":"ann","ack":[0,256],"terms":{"max_message":262144,"window":120000,"silence":30000,"poll_hold":25000},"namespaces":[{"name":"chat","events":12}],"handshake":[["chat","hi"]]}}"#,
};
// ANCHOR_END: welcome

// ANCHOR: welcome_tables
const WELCOME_TABLES: Golden = Golden {
    frame: |_| {
        Frame::Welcome(Box::new(Welcome {
            session: SESSION,
            secret: SECRET,
            epoch: 2,
            server: 0x0123_4567_89ab_cdef,
            fresh: None,
            user: None,
            acknowledge: Acknowledge {
                received: 7,
                credit: 263,
            },
            terms: Terms {
                max_message: 1024,
                window: Duration::from_millis(1),
                silence: Duration::from_millis(2),
                poll_hold: Duration::from_millis(3),
            },
            namespaces: vec![Answer {
                name: "chat".to_owned(),
                events: 2,
                table: Some(table()),
            }],
            handshake: vec![],
        }))
    },
    binary: "
        02                               -- kind: welcome
        101112131415161718191a1b1c1d1e1f -- session
        202122232425262728292a2b2c2d2e2f -- secret
        02                               -- epoch
        0123456789abcdef                 -- server
        00                               -- resumed, not fresh
        00                               -- no user
        07                               -- received 7
        87 02                            -- credit 263
        80 08                            -- max_message: 1024 bytes
        01                               -- window: 1 ms
        02                               -- silence: 2 ms
        03                               -- poll_hold: 3 ms
        01                               -- 1 namespace
        04 63686174                      -- its name: chat
        02                               -- its events: 2
        01                               -- its table follows
        04 63686174                      -- the table's name: chat
        01 00000000000000c1              -- fingerprint of the handshake's type
        02                               -- 2 events
        09 636861742f706f7374            -- its name: chat/post
        05                               -- flags: to the server, a call
        01                               -- 1 field is required
        02                               -- 2 fields
        00000000000000a1                 -- fingerprint of the first
        00000000000000a2                 -- fingerprint of the second
        00000000000000b1                 -- fingerprint of the reply
        0000000000000000                 -- fingerprint of the error: it has none
        0b 636861742f706f73746564        -- its name: chat/posted
        02                               -- flags: to the client
        00                               -- 0 fields are required
        00                               -- 0 fields
        00                               -- no handshake data
    ",
    text: r#"{"welcome":{"session":"101112131415161718191a1b1c1d1e1f","secret":"202122232425262728292a2b2c2d2e2f","epoch":2,"server":"0123456789abcdef","ack":[7,263],"terms":{"max_message":1024,"window":1,"silence":2,"poll_hold":3},"namespaces":[{"name":"chat","events":2,"table":{"name":"chat","handshake":"00000000000000c1","events":[{"name":"chat/post","to_server":"call","fields":["00000000000000a1","00000000000000a2"],"required":1,"reply":["00000000000000b1","0000000000000000"]},{"name":"chat/posted","to_client":"event","fields":[],"required":0}]}}]}}"#,
};
// ANCHOR_END: welcome_tables

// ANCHOR: refused
const REFUSED: Golden = Golden {
    frame: |_| {
        Frame::Refused(Box::new(Refused {
            status: 406,
            reason: RefusedReason::Codec,
            message: "no such codec".to_owned(),
            retry_after: Some(Duration::from_secs(1)),
            codecs: vec!["bincode".to_owned(), "json".to_owned()],
        }))
    },
    binary: "
        03                               -- kind: refused
        96 03                            -- status 406
        06                               -- reason: codec
        01 e8 07                         -- retry after 1000 ms
        02                               -- 2 codecs
        07 62696e636f6465                -- bincode
        04 6a736f6e                      -- json
        0d 6e6f207375636820636f646563    -- message: no such codec
    ",
    text: r#"{"refused":{"status":406,"reason":"codec","message":"no such codec","retry_after":1000,"codecs":["bincode","json"]}}"#,
};
// ANCHOR_END: refused

// ANCHOR: tables
const TABLES: Golden = Golden {
    frame: |_| {
        Frame::Tables(vec![
            table(),
            Table {
                name: "game".to_owned(),
                handshake: None,
                events: vec![],
            },
        ])
    },
    binary: "
        04                               -- kind: tables
        02                               -- 2 tables
        04 63686174                      -- the table's name: chat
        01 00000000000000c1              -- fingerprint of the handshake's type
        02                               -- 2 events
        09 636861742f706f7374            -- its name: chat/post
        05                               -- flags: to the server, a call
        01                               -- 1 field is required
        02                               -- 2 fields
        00000000000000a1                 -- fingerprint of the first
        00000000000000a2                 -- fingerprint of the second
        00000000000000b1                 -- fingerprint of the reply
        0000000000000000                 -- fingerprint of the error: it has none
        0b 636861742f706f73746564        -- its name: chat/posted
        02                               -- flags: to the client
        00                               -- 0 fields are required
        00                               -- 0 fields
        04 67616d65                      -- the table's name: game
        00                               -- no handshake
        00                               -- 0 events
    ",
    text: r#"{"tables":[{"name":"chat","handshake":"00000000000000c1","events":[{"name":"chat/post","to_server":"call","fields":["00000000000000a1","00000000000000a2"],"required":1,"reply":["00000000000000b1","0000000000000000"]},{"name":"chat/posted","to_client":"event","fields":[],"required":0}]},{"name":"game","events":[]}]}"#,
};
// ANCHOR_END: tables

// ANCHOR: request
const REQUEST: Golden = Golden {
    frame: |_| {
        Frame::Request(Request {
            session: SESSION,
            secret: SECRET,
            server: 0x3031_3233_3435_3637,
            epoch: 2,
            number: 300,
            hold: true,
            beside: 1,
            brief: false,
        })
    },
    binary: "
        05                               -- kind: request
        101112131415161718191a1b1c1d1e1f -- session
        202122232425262728292a2b2c2d2e2f -- secret
        3031323334353637                 -- server
        02                               -- epoch
        ac 02                            -- number 300
        02                               -- hold: a poll, beside one more
    ",
    text: r#"{"request":{"session":"101112131415161718191a1b1c1d1e1f","secret":"202122232425262728292a2b2c2d2e2f","server":"3031323334353637","epoch":2,"number":300,"hold":true,"beside":1}}"#,
};
// ANCHOR_END: request

const BRIEF: Golden = Golden {
    frame: |_| {
        Frame::Request(Request {
            session: SESSION,
            secret: SECRET,
            server: 0x3031_3233_3435_3637,
            epoch: 2,
            number: 300,
            hold: true,
            beside: 0,
            brief: true,
        })
    },
    binary: "
        05                               -- kind: request
        101112131415161718191a1b1c1d1e1f -- session
        202122232425262728292a2b2c2d2e2f -- secret
        3031323334353637                 -- server
        02                               -- epoch
        ac 02                            -- number 300
        80                               -- hold: a poll that is answered at once
    ",
    text: r#"{"request":{"session":"101112131415161718191a1b1c1d1e1f","secret":"202122232425262728292a2b2c2d2e2f","server":"3031323334353637","epoch":2,"number":300,"hold":true,"brief":true}}"#,
};

// ANCHOR: close
pub(crate) const CLOSE: Golden = Golden {
    frame: |_| {
        Frame::Close(Box::new(Close {
            reason: CloseReason::Replaced,
            message: "newer".to_owned(),
            retry_after: None,
            epoch: 3,
        }))
    },
    binary: "
        06                               -- kind: close
        02                               -- reason: replaced
        03                               -- the epoch that took over
        00                               -- no word on when to come back
        05 6e65776572                    -- message: newer
    ",
    text: r#"{"close":{"reason":"replaced","message":"newer","epoch":3}}"#,
};
// ANCHOR_END: close

const CLOSE_RETRY: Golden = Golden {
    frame: |_| {
        Frame::Close(Box::new(Close {
            reason: CloseReason::Shutdown,
            message: String::new(),
            retry_after: Some(Duration::from_millis(1500)),
            epoch: 0,
        }))
    },
    binary: "
        06                               -- kind: close
        03                               -- reason: shutdown
        00                               -- no epoch took over
        01 dc 0b                         -- not to come back for 1500 ms
        00                               -- an empty message
    ",
    text: r#"{"close":{"reason":"shutdown","message":"","retry_after":1500}}"#,
};

// ANCHOR: authenticate
const AUTHENTICATE: Golden = Golden {
    frame: |_| {
        Frame::Authenticate(Authenticate {
            token: Some(Secret::new("abc".to_owned())),
            csrf: None,
        })
    },
    binary: "
        07                               -- kind: authenticate
        01                               -- flags: token
        03 616263                        -- token: abc
    ",
    text: r#"{"authenticate":{"token":"abc"}}"#,
};
// ANCHOR_END: authenticate

// ANCHOR: expires
const EXPIRES: Golden = Golden {
    frame: |_| Frame::Expires(Duration::from_millis(60_000)),
    binary: "
        08                               -- kind: expires
        e0 d4 03                         -- in 60000 ms
    ",
    text: r#"{"expires":60000}"#,
};
// ANCHOR_END: expires

// ANCHOR: ping
const PING: Golden = Golden {
    frame: |_| Frame::Ping(300),
    binary: "
        09                               -- kind: ping
        ac 02                            -- number 300
    ",
    text: r#"{"ping":300}"#,
};
// ANCHOR_END: ping

// ANCHOR: pong
const PONG: Golden = Golden {
    frame: |_| Frame::Pong(300),
    binary: "
        0a                               -- kind: pong
        ac 02                            -- number 300
    ",
    text: r#"{"pong":300}"#,
};
// ANCHOR_END: pong

// ANCHOR: data_empty
const DATA_EMPTY: Golden = Golden {
    frame: |_| Frame::Data(Data::default()),
    binary: "
        10                               -- kind: data
    ",
    text: r#"{}"#,
};
// ANCHOR_END: data_empty

// ANCHOR: data_ack
pub(crate) const DATA_ACK: Golden = Golden {
    frame: |_| {
        Frame::Data(Data {
            acknowledge: Some(Acknowledge {
                received: 12,
                credit: 268,
            }),
            ..Data::default()
        })
    },
    binary: "
        11                               -- kind: data; acknowledges
        0c                               -- received 12
        8c 02                            -- credit 268
    ",
    text: r#"{"ack":[12,268]}"#,
};
// ANCHOR_END: data_ack

// ANCHOR: data_items
const DATA_ITEMS: Golden = Golden {
    frame: |codec| {
        Frame::Data(Data {
            acknowledge: Some(Acknowledge {
                received: 12,
                credit: 268,
            }),
            first: 5,
            items: vec![
                Item::Event {
                    event: 3,
                    payload: fields(codec, &["lobby", "hi"]),
                },
                Item::Call {
                    event: 4,
                    remaining: Duration::from_secs(5),
                    payload: fields(codec, &[]),
                },
                Item::Skip { count: 2 },
                Item::Cancel { call: 6 },
            ],
        })
    },
    binary: "
        11                               -- kind: data; acknowledges
        0c                               -- received 12
        8c 02                            -- credit 268
        05                               -- first: 5
        01                               -- item 5: an event
        03                               -- event 3
        09 05 6c6f626279 02 6869         -- payload: what bincode made of 'lobby' and 'hi'
        02                               -- item 6: a call
        04                               -- event 4
        88 27                            -- remaining: 5000 ms
        00                               -- payload: no fields
        07                               -- items 7 and on: skipped
        02                               -- 2 of them
        06                               -- item 9: cancels
        06                               -- call 6
    ",
    text: r#"{"ack":[12,268],"first":5,"items":[["event",3,["lobby","hi"]],["call",4,5000,[]],["skip",2],["cancel",6]]}"#,
};
// ANCHOR_END: data_items

// ANCHOR: data_replies
const DATA_REPLIES: Golden = Golden {
    frame: |codec| {
        Frame::Data(Data {
            first: 1,
            items: vec![
                Item::Reply {
                    call: 17,
                    outcome: Outcome::Reply(value(codec, "done")),
                },
                Item::Reply {
                    call: 18,
                    outcome: Outcome::Rejected(value(codec, "no")),
                },
                Item::Reply {
                    call: 300,
                    outcome: Outcome::Failed(Failure::Unsupported),
                },
            ],
            ..Data::default()
        })
    },
    binary: "
        10                               -- kind: data
        01                               -- first: 1
        03                               -- item 1: a reply
        11                               -- to call 17
        05 04 646f6e65                   -- payload: what bincode made of 'done'
        04                               -- item 2: a rejection
        12                               -- of call 18
        03 02 6e6f                       -- payload: what bincode made of 'no'
        05                               -- item 3: a failure
        ac 02                            -- of call 300
        01                               -- unsupported
    ",
    text: r#"{"first":1,"items":[["reply",17,"ok","done"],["reply",18,"rejected","no"],["reply",300,"failed","unsupported"]]}"#,
};
// ANCHOR_END: data_replies

fn table() -> Table {
    Table {
        name: "chat".to_owned(),
        handshake: Some(0xc1),
        events: vec![
            TableEvent {
                name: "chat/post".to_owned(),
                to_server: Way::Call,
                to_client: Way::Never,
                fields: vec![0xa1, 0xa2],
                required: 1,
                reply: Some(TableReply {
                    reply: 0xb1,
                    error: 0,
                }),
            },
            TableEvent {
                name: "chat/posted".to_owned(),
                to_server: Way::Never,
                to_client: Way::Event,
                fields: vec![],
                required: 0,
                reply: None,
            },
        ],
    }
}

fn fields(codec: Codec, texts: &[&str]) -> Bytes {
    let mut writer = codec.writer();
    for text in texts {
        writer.field(text).expect("a text can be encoded");
    }
    writer.finish()
}

fn value(codec: Codec, text: &str) -> Bytes {
    codec.encode(text).expect("a text can be encoded")
}
