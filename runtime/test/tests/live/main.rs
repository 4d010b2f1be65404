//! Real servers and clients in virtual time.

mod faults;
mod house;
mod identity;
mod pleasant;
mod programs;
mod same;
