//! Every kind of change of a contract, each as a namespace of its own in two versions.
//!
//! `from` and `text` are both texts on purpose: what changes places is then read without an error.

use crate::Pair;
use crate::variants::*;

/// All of them, in the order of the table.
pub(crate) fn all() -> Vec<Pair> {
    macro_rules! pairs {
        ($($module:ident: $change:literal $(, new reads $of_old:literal)? $(, old reads $of_new:literal)?;)*) => {
            vec![$({
                #[allow(unused_mut)]
                let mut pair = Pair::new($change, $module::old::version(), $module::new::version());
                $(pair.new_reads = Some($of_old);)?
                $(pair.old_reads = Some($of_new);)?
                pair
            }),*]
        };
    }
    pairs! {
        nothing: "nothing";
        docs: "comments";
        timeout: "a timeout";
        delivery: "the delivery class";
        reordered: "the order of the events";
        renamed_with_its_name: "the variant's name, with `#[event(name = \"…\")]`";
        renamed: "the variant's name, without it";
        added: "the event is new";
        turned: "the direction";
        both_ways: "a second direction";
        default_added: "a field more at the end, with `#[default]`",
            new reads r#"{"from":"ann","text":"hi","to":null}"#, old reads r#"{"from":"ann","text":"hi"}"#;
        field_added: "a field more at the end, without it";
        field_inserted: "a field more in the middle";
        field_retyped: "the type of a field";
        fields_reordered: "the order of fields of one type";
        field_renamed: "the name of a field";
        default_removed: "a field is no longer `#[default]`";
        reply: "the type of the reply";
        error: "the type of the error";
        error_added: "the call can be rejected";
        call: "the event is a call";
        nested_added: "a nested struct has a field more";
        nested_default: "a nested struct has a field more, with `#[serde(default)]`";
        nested_inserted: "a nested struct has a field more in the middle";
        nested_retyped: "the type of a field of a nested struct";
        nested_reordered: "the order of fields of a nested struct";
        nested_renamed: "the name of a field of a nested struct";
        nested_renamed_for_rust: "the same, with `#[serde(rename = \"…\")]`";
        variant_added: "a nested enum has a variant more at the end";
        variant_inserted: "a nested enum has a variant more before others";
        variants_reordered: "the order of variants of a nested enum";
        variant_renamed: "the name of a variant of a nested enum";
        variant_content: "what is in a variant of a nested enum";
        type_renamed: "the name of a type";
        boxed: "a box or a newtype around a type";
        optional: "an `Option` around a type";
        number_width: "a `u32` that was a `u16`";
        list: "a set that was a list";
        recursive: "a type that contains itself, deep within";
        generic: "the argument of a generic type";
        opaque: "the name of an opaque type";
        handshake: "the handshake data";
        self_describing: "nothing, in a type that needs names";
    }
}

// ---- of the event ----

fields! { nothing "nothing"
    {} (from: String = "ann".to_owned(), text: String = "hi".to_owned())
    {} (from: String = "ann".to_owned(), text: String = "hi".to_owned())
}

fields! { default_added "default_added"
    {} (from: String = "ann".to_owned(), text: String = "hi".to_owned())
    {} (from: String = "ann".to_owned(), text: String = "hi".to_owned(), #[default] to: Option<String> = Some("bob".to_owned()))
}

fields! { field_added "field_added"
    {} (from: String = "ann".to_owned(), text: String = "hi".to_owned())
    {} (from: String = "ann".to_owned(), text: String = "hi".to_owned(), loud: bool = true)
}

fields! { field_inserted "field_inserted"
    {} (from: String = "ann".to_owned(), text: String = "hi".to_owned())
    {} (from: String = "ann".to_owned(), to: String = "bob".to_owned(), text: String = "hi".to_owned())
}

fields! { field_retyped "field_retyped"
    {} (text: String = "a".to_owned(), likes: u32 = 3)
    {} (text: String = "a".to_owned(), likes: i32 = 3)
}

fields! { fields_reordered "fields_reordered"
    {} (from: String = "ann".to_owned(), text: String = "hi".to_owned())
    {} (text: String = "hi".to_owned(), from: String = "ann".to_owned())
}

fields! { field_renamed "field_renamed"
    {} (text: String = "hi".to_owned())
    {} (title: String = "Greetings".to_owned())
}

fields! { default_removed "default_removed"
    {} (text: String = "hi".to_owned(), #[default] likes: u32 = 3)
    {} (text: String = "hi".to_owned(), likes: u32 = 3)
}

// ---- of types within ----

fields! { nested_added "nested_added"
    { types! { pub(crate) struct Line { text: String } } }
    (line: Line = Line { text: "hi".to_owned() }, id: u32 = 9)
    { types! { pub(crate) struct Line { text: String, likes: u32 } } }
    (line: Line = Line { text: "hi".to_owned(), likes: 3 }, id: u32 = 9)
}

fields! { nested_default "nested_default"
    { types! { pub(crate) struct Line { text: String } } }
    (line: Line = Line { text: "hi".to_owned() }, id: u32 = 9)
    { types! { pub(crate) struct Line { text: String, #[serde(default)] likes: u32 } } }
    (line: Line = Line { text: "hi".to_owned(), likes: 3 }, id: u32 = 9)
}

fields! { nested_inserted "nested_inserted"
    { types! { pub(crate) struct Line { from: String, text: String } } }
    (line: Line = Line { from: "ann".to_owned(), text: "hi".to_owned() })
    { types! { pub(crate) struct Line { from: String, to: String, text: String } } }
    (line: Line = Line { from: "ann".to_owned(), to: "bob".to_owned(), text: "hi".to_owned() })
}

fields! { nested_retyped "nested_retyped"
    { types! { pub(crate) struct Line { likes: u32, text: String } } }
    (line: Line = Line { likes: 3, text: "hi".to_owned() })
    { types! { pub(crate) struct Line { likes: i32, text: String } } }
    (line: Line = Line { likes: 3, text: "hi".to_owned() })
}

fields! { nested_reordered "nested_reordered"
    { types! { pub(crate) struct Line { from: String, text: String } } }
    (line: Line = Line { from: "ann".to_owned(), text: "hi".to_owned() })
    { types! { pub(crate) struct Line { text: String, from: String } } }
    (line: Line = Line { from: "ann".to_owned(), text: "hi".to_owned() })
}

fields! { nested_renamed "nested_renamed"
    { types! { pub(crate) struct Line { text: String } } }
    (line: Line = Line { text: "hi".to_owned() })
    { types! { pub(crate) struct Line { words: String } } }
    (line: Line = Line { words: "hi".to_owned() })
}

fields! { nested_renamed_for_rust "nested_renamed_for_rust"
    { types! { pub(crate) struct Line { text: String } } }
    (line: Line = Line { text: "hi".to_owned() })
    { types! { pub(crate) struct Line { #[serde(rename = "text")] words: String } } }
    (line: Line = Line { words: "hi".to_owned() })
}

fields! { variant_added "variant_added"
    { types! { pub(crate) enum Mood { Calm, Loud } } }
    (mood: Mood = Mood::Loud)
    { types! { pub(crate) enum Mood { Calm, Loud, Gone } } }
    (mood: Mood = Mood::Gone)
}

fields! { variant_inserted "variant_inserted"
    { types! { pub(crate) enum Mood { Calm, Loud } } }
    (mood: Mood = Mood::Calm)
    { types! { pub(crate) enum Mood { Gone, Calm, Loud } } }
    (mood: Mood = Mood::Calm)
}

fields! { variants_reordered "variants_reordered"
    { types! { pub(crate) enum Mood { Calm, Loud } } }
    (mood: Mood = Mood::Calm)
    { types! { pub(crate) enum Mood { Loud, Calm } } }
    (mood: Mood = Mood::Calm)
}

fields! { variant_renamed "variant_renamed"
    { types! { pub(crate) enum Mood { Calm, Loud } } }
    (mood: Mood = Mood::Calm)
    { types! { pub(crate) enum Mood { Quiet, Loud } } }
    (mood: Mood = Mood::Quiet)
}

fields! { variant_content "variant_content"
    { types! { pub(crate) enum Mood { Calm, Loud { how: u32 } } } }
    (mood: Mood = Mood::Loud { how: 3 }, id: u32 = 9)
    { types! { pub(crate) enum Mood { Calm, Loud { how: i32 } } } }
    (mood: Mood = Mood::Loud { how: 3 }, id: u32 = 9)
}

fields! { type_renamed "type_renamed"
    { types! { pub(crate) struct Line { text: String } } }
    (line: Line = Line { text: "hi".to_owned() })
    { types! { pub(crate) struct Words { text: String } } }
    (line: Words = Words { text: "hi".to_owned() })
}

fields! { boxed "boxed"
    {} (text: String = "hi".to_owned(), id: u32 = 9)
    { types! { pub(crate) struct Id(u32); } }
    (text: Box<str> = Box::<str>::from("hi"), id: Id = Id(9))
}

fields! { optional "optional"
    {} (likes: u32 = 1, id: u32 = 9)
    {} (likes: Option<u32> = Some(1), id: u32 = 9)
}

fields! { number_width "number_width"
    {} (likes: u16 = 3)
    {} (likes: u32 = 70_000)
}

fields! { list "list"
    {} (ids: Vec<u32> = vec![9])
    {} (ids: std::collections::BTreeSet<u32> = std::collections::BTreeSet::from([9]))
}

fields! { recursive "recursive"
    { types! { pub(crate) struct Tree { value: u32, children: Vec<Tree> } } }
    (tree: Tree = Tree { value: 3, children: vec![Tree { value: 4, children: vec![] }] })
    { types! { pub(crate) struct Tree { value: i32, children: Vec<Tree> } } }
    (tree: Tree = Tree { value: 3, children: vec![Tree { value: 4, children: vec![] }] })
}

fields! { generic "generic"
    { types! { pub(crate) struct Page<T> { items: Vec<T> } } }
    (page: Page<u32> = Page { items: vec![3] })
    { types! { pub(crate) struct Page<T> { items: Vec<T> } } }
    (page: Page<i32> = Page { items: vec![3] })
}

fields! { opaque "opaque"
    { types! { pub(crate) struct Price { #[schema(opaque = "money/1")] cents: u32 } } }
    (price: Price = Price { cents: 3 })
    { types! { pub(crate) struct Price { #[schema(opaque = "money/2")] cents: i32 } } }
    (price: Price = Price { cents: 3 })
}

fields! { self_describing "self_describing"
    {
        types! {
            #[schema(self_describing)]
            pub(crate) struct Patch { #[serde(skip_serializing_if = "Option::is_none")] title: Option<String>, text: String }
        }
    }
    (patch: Patch = Patch { title: None, text: "hi".to_owned() })
    {
        types! {
            #[schema(self_describing)]
            pub(crate) struct Patch { #[serde(skip_serializing_if = "Option::is_none")] title: Option<String>, text: String }
        }
    }
    (patch: Patch = Patch { title: None, text: "hi".to_owned() })
}
