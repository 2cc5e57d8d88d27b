//! The evaluation domain of a circuit: its Lagrange coefficients and powers at tau.

use anyhow::{ensure, Context};
use blstrs::Scalar;
use ff::{BatchInvert, Field, PrimeField};
use rayon::prelude::*;

/// Scalars that share an inversion.
const CHUNK: usize = 1 << 16;

/// The powers of a root of unity, one for each constraint, and tau in respect of them.
pub struct Domain {
    /// A power of 2, at least the number of constraints.
    size: usize,
    constraints: usize,
    root: Scalar,
    tau: Scalar,
    /// The polynomial that is zero on the domain, at tau: `tau^size - 1`.
    zero_polynomial: Scalar,
}

/// `tau^i * factor` for i below `count`.
pub struct Powers {
    tau: Scalar,
    factor: Scalar,
    pub count: usize,
}

impl Domain {
    pub fn of(constraints: usize, tau: &Scalar) -> anyhow::Result<Domain> {
        let size = constraints.next_power_of_two();
        let exponent = size.trailing_zeros();
        ensure!(exponent < Scalar::S, "{constraints} constraints are more than the field has roots of unity for");
        let root = (exponent..Scalar::S).fold(Scalar::ROOT_OF_UNITY, |root, _| root.square());
        let zero_polynomial = tau.pow_vartime([size as u64]) - Scalar::ONE;
        Ok(Domain { size, constraints, root, tau: *tau, zero_polynomial })
    }

    /// The Lagrange polynomial of each constraint, at tau: `(tau^n - 1) / n * root^k / (tau - root^k)`.
    pub fn lagrange(&self) -> anyhow::Result<Vec<Scalar>> {
        let factor = self.zero_polynomial * invert(&Scalar::from(self.size as u64))?;
        let mut all = vec![Scalar::ZERO; self.constraints];
        all.par_chunks_mut(CHUNK).enumerate().for_each(|(i, chunk)| {
            let first = self.root.pow_vartime([(i * CHUNK) as u64]);
            let powers: Vec<Scalar> =
                std::iter::successors(Some(first), |power| Some(power * self.root)).take(chunk.len()).collect();
            for (value, power) in chunk.iter_mut().zip(&powers) {
                *value = self.tau - power;
            }
            chunk.iter_mut().batch_invert();
            for (value, power) in chunk.iter_mut().zip(&powers) {
                *value *= factor * power;
            }
        });
        Ok(all)
    }

    /// The scalars of the H query: `tau^i * (tau^n - 1) / delta`.
    pub fn h_powers(&self, delta: &Scalar) -> anyhow::Result<Powers> {
        Ok(Powers { tau: self.tau, factor: self.zero_polynomial * invert(delta)?, count: self.size - 1 })
    }
}

impl Powers {
    pub fn from(&self, start: usize, most: usize) -> Vec<Scalar> {
        let first = self.factor * self.tau.pow_vartime([start as u64]);
        std::iter::successors(Some(first), |power| Some(power * self.tau)).take(most.min(self.count - start)).collect()
    }
}

pub fn invert(scalar: &Scalar) -> anyhow::Result<Scalar> {
    Option::from(scalar.invert()).context("a random value is zero")
}
