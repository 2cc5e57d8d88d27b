//! What the engine does when it is run as a process, as a worker runs it. One program for all: each links the proofs
//! library anew.
mod check_copy;
mod common;
mod input;
mod lease;
mod modules;
mod no_room;
mod p1;
mod p2_p3_p4;
mod p5;
mod params;
