//! Tests of the engine as a process, as a worker runs it. They are one program, as each program has to link the proofs
//! library.

mod check_copy;
mod common;
mod damage;
mod damaged_params;
mod faults;
mod input;
mod lease;
mod modules;
mod multicore;
mod no_room;
mod p1;
mod p2_p3_p4;
mod p5;
mod params;
mod parents;
