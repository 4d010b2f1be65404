//! The types of the standard library, as serde writes them.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::ops::{Bound, Range, RangeFrom, RangeInclusive, RangeTo};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex, RwLock, atomic};
use std::time::{Duration, SystemTime};
use std::{cmp, num};

use super::{Content, Field, Primitive, Schema, Shape, Tagging, Type, Variant};

macro_rules! primitives {
    ($($ty:ty => $primitive:ident;)*) => {
        $(
            impl Schema for $ty {
                const SHAPE: &'static Shape = &Shape::Primitive(Primitive::$primitive);
            }
        )*
    };
}

primitives! {
    bool => Bool;
    u8 => U8;
    u16 => U16;
    u32 => U32;
    u64 => U64;
    u128 => U128;
    // Serde writes them as 64 bits on every machine.
    usize => U64;
    i8 => I8;
    i16 => I16;
    i32 => I32;
    i64 => I64;
    i128 => I128;
    isize => I64;
    f32 => F32;
    f64 => F64;
    char => Char;
    str => Str;
    String => Str;
    // As a text; one that is none cannot be written.
    Path => Str;
    PathBuf => Str;
    () => Unit;
}

/// Types that are written as what they hold.
macro_rules! same {
    ($([$($generics:tt)*] $ty:ty => $inner:ty;)*) => {
        $(
            impl<$($generics)*> Schema for $ty {
                const SHAPE: &'static Shape = &Shape::Same(Type::of::<$inner>());
            }
        )*
    };
}

same! {
    ['a, T: Schema + ?Sized] &'a T => T;
    [T: Schema + ?Sized] Box<T> => T;
    [T: Schema + ?Sized] Rc<T> => T;
    [T: Schema + ?Sized] Arc<T> => T;
    ['a, T: Schema + ToOwned + ?Sized] Cow<'a, T> => T;
    [T: Schema] Cell<T> => T;
    [T: Schema + ?Sized] RefCell<T> => T;
    [T: Schema + ?Sized] Mutex<T> => T;
    [T: Schema + ?Sized] RwLock<T> => T;
    [T: Schema] num::Wrapping<T> => T;
    [T: Schema] num::Saturating<T> => T;
    [T: Schema] cmp::Reverse<T> => T;
    [] atomic::AtomicBool => bool;
    [] atomic::AtomicU8 => u8;
    [] atomic::AtomicU16 => u16;
    [] atomic::AtomicU32 => u32;
    [] atomic::AtomicU64 => u64;
    [] atomic::AtomicUsize => usize;
    [] atomic::AtomicI8 => i8;
    [] atomic::AtomicI16 => i16;
    [] atomic::AtomicI32 => i32;
    [] atomic::AtomicI64 => i64;
    [] atomic::AtomicIsize => isize;
}

macro_rules! shapes {
    ($([$($generics:tt)*] $ty:ty => $shape:expr;)*) => {
        $(
            impl<$($generics)*> Schema for $ty {
                const SHAPE: &'static Shape = &$shape;
            }
        )*
    };
}

shapes! {
    [T: Schema] Option<T> => Shape::Option(Type::of::<T>());
    [T: Schema] [T] => Shape::Sequence(Type::of::<T>());
    [T: Schema] Vec<T> => Shape::Sequence(Type::of::<T>());
    [T: Schema] VecDeque<T> => Shape::Sequence(Type::of::<T>());
    [T: Schema] LinkedList<T> => Shape::Sequence(Type::of::<T>());
    [T: Schema] BinaryHeap<T> => Shape::Sequence(Type::of::<T>());
    [T: Schema] BTreeSet<T> => Shape::Sequence(Type::of::<T>());
    [T: Schema, S] HashSet<T, S> => Shape::Sequence(Type::of::<T>());
    [K: Schema, V: Schema] BTreeMap<K, V> => Shape::Map(Type::of::<K>(), Type::of::<V>());
    [K: Schema, V: Schema, S] HashMap<K, V, S> => Shape::Map(Type::of::<K>(), Type::of::<V>());
    [T: Schema, const N: usize] [T; N] => Shape::Array(Type::of::<T>(), N);
    [T: ?Sized] PhantomData<T> => Shape::Primitive(Primitive::UnitStruct);
    [T: Schema, E: Schema] Result<T, E> => Shape::Enum {
        name: "Result",
        tagging: Tagging::External,
        variants: &[variant("Ok", Type::of::<T>()), variant("Err", Type::of::<E>())],
    };
    [T: Schema] Bound<T> => Shape::Enum {
        name: "Bound",
        tagging: Tagging::External,
        variants: &[
            Variant { name: "Unbounded", content: Content::Unit, untagged: false },
            variant("Included", Type::of::<T>()),
            variant("Excluded", Type::of::<T>()),
        ],
    };
    [T: Schema] Range<T> => Shape::Struct {
        name: "Range",
        fields: &[Field::new("start", Type::of::<T>()), Field::new("end", Type::of::<T>())],
    };
    [T: Schema] RangeInclusive<T> => Shape::Struct {
        name: "RangeInclusive",
        fields: &[Field::new("start", Type::of::<T>()), Field::new("end", Type::of::<T>())],
    };
    [T: Schema] RangeFrom<T> => Shape::Struct {
        name: "RangeFrom",
        fields: &[Field::new("start", Type::of::<T>())],
    };
    [T: Schema] RangeTo<T> => Shape::Struct {
        name: "RangeTo",
        fields: &[Field::new("end", Type::of::<T>())],
    };
    [] Duration => Shape::Struct {
        name: "Duration",
        fields: &[Field::new("secs", Type::of::<u64>()), Field::new("nanos", Type::of::<u32>())],
    };
    [] SystemTime => Shape::Struct {
        name: "SystemTime",
        fields: &[
            Field::new("secs_since_epoch", Type::of::<u64>()),
            Field::new("nanos_since_epoch", Type::of::<u32>()),
        ],
    };
    // What is written as 0 is none of them.
    [] num::NonZeroU8 => opaque("std::num::NonZeroU8");
    [] num::NonZeroU16 => opaque("std::num::NonZeroU16");
    [] num::NonZeroU32 => opaque("std::num::NonZeroU32");
    [] num::NonZeroU64 => opaque("std::num::NonZeroU64");
    [] num::NonZeroU128 => opaque("std::num::NonZeroU128");
    [] num::NonZeroUsize => opaque("std::num::NonZeroUsize");
    [] num::NonZeroI8 => opaque("std::num::NonZeroI8");
    [] num::NonZeroI16 => opaque("std::num::NonZeroI16");
    [] num::NonZeroI32 => opaque("std::num::NonZeroI32");
    [] num::NonZeroI64 => opaque("std::num::NonZeroI64");
    [] num::NonZeroI128 => opaque("std::num::NonZeroI128");
    [] num::NonZeroIsize => opaque("std::num::NonZeroIsize");
    // Texts in some codecs, bytes in others.
    [] Ipv4Addr => opaque("std::net::Ipv4Addr");
    [] Ipv6Addr => opaque("std::net::Ipv6Addr");
    [] IpAddr => opaque("std::net::IpAddr");
    [] SocketAddrV4 => opaque("std::net::SocketAddrV4");
    [] SocketAddrV6 => opaque("std::net::SocketAddrV6");
    [] SocketAddr => opaque("std::net::SocketAddr");
}

const fn variant(name: &'static str, ty: Type) -> Variant {
    Variant {
        name,
        content: Content::Newtype(ty),
        untagged: false,
    }
}

const fn opaque(name: &'static str) -> Shape {
    Shape::Opaque {
        name,
        self_describing: false,
    }
}

macro_rules! tuples {
    ($($first:ident $($rest:ident)*)?) => {
        $(
            impl<$first: Schema, $($rest: Schema),*> Schema for ($first, $($rest,)*) {
                const SHAPE: &'static Shape =
                    &Shape::Tuple(&[Type::of::<$first>(), $(Type::of::<$rest>()),*]);
            }

            tuples!($($rest)*);
        )?
    };
}

tuples!(A B C D E F G H I J K L M N O P);
