//! Real servers and clients in virtual time.

mod faults;
mod house;
mod programs;
mod same;
