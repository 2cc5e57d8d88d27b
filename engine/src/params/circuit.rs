//! A circuit as its parameters need it: three sparse matrices A, B and C, with a row per constraint and a column per
//! variable. Coefficients are few different ones, so each entry is two numbers of 32 bits.

use bellpepper_core::{ConstraintSystem, Index, LinearCombination, SynthesisError, Variable};
use blstrs::Scalar;
use ff::Field;
use std::collections::HashMap;

/// A column: an input, or `AUX` with the number of an auxiliary variable.
type Column = u32;
const AUX: Column = 1 << 31;

#[derive(Default)]
pub struct Matrix {
    /// Column and coefficient (its number), row by row.
    entries: Vec<(Column, u32)>,
    /// Where each row ends in `entries`.
    ends: Vec<u32>,
}

#[derive(Default)]
pub struct Matrices {
    pub inputs: usize,
    pub aux: usize,
    pub a: Matrix,
    pub b: Matrix,
    pub c: Matrix,
    coefficients: Coefficients,
}

/// A value of each column.
pub struct Columns {
    pub inputs: Vec<Scalar>,
    pub aux: Vec<Scalar>,
}

#[derive(Default)]
struct Coefficients {
    values: Vec<Scalar>,
    numbers: HashMap<[u8; 32], u32>,
}

impl Coefficients {
    fn number_of(&mut self, value: &Scalar) -> u32 {
        *self.numbers.entry(value.to_bytes_le()).or_insert_with(|| {
            self.values.push(*value);
            self.values.len() as u32 - 1
        })
    }
}

impl Matrices {
    pub fn constraints(&self) -> usize {
        self.a.ends.len()
    }

    /// For each column the sum of its entries, each times the weight of its row.
    pub fn weighted(&self, matrix: &Matrix, weights: &[Scalar]) -> Columns {
        let mut columns = Columns { inputs: vec![Scalar::ZERO; self.inputs], aux: vec![Scalar::ZERO; self.aux] };
        let mut start = 0;
        for (weight, end) in weights.iter().zip(&matrix.ends) {
            for &(column, coefficient) in &matrix.entries[start..*end as usize] {
                let sum = if column < AUX {
                    &mut columns.inputs[column as usize]
                } else {
                    &mut columns.aux[(column - AUX) as usize]
                };
                *sum += self.coefficients.values[coefficient as usize] * weight;
            }
            start = *end as usize;
        }
        columns
    }
}

impl ConstraintSystem<Scalar> for Matrices {
    type Root = Self;

    fn new() -> Self {
        Self::default()
    }

    /// As in bellperson's generator: a circuit that is synthesized in one sequence is the same for prover and generator.
    fn is_extensible() -> bool {
        false
    }

    fn alloc<F, A, AR>(&mut self, _: A, _: F) -> Result<Variable, SynthesisError>
    where
        F: FnOnce() -> Result<Scalar, SynthesisError>,
        A: FnOnce() -> AR,
        AR: Into<String>,
    {
        self.aux += 1;
        Ok(Variable::new_unchecked(Index::Aux(self.aux - 1)))
    }

    fn alloc_input<F, A, AR>(&mut self, _: A, _: F) -> Result<Variable, SynthesisError>
    where
        F: FnOnce() -> Result<Scalar, SynthesisError>,
        A: FnOnce() -> AR,
        AR: Into<String>,
    {
        self.inputs += 1;
        Ok(Variable::new_unchecked(Index::Input(self.inputs - 1)))
    }

    fn enforce<A, AR, LA, LB, LC>(&mut self, _: A, a: LA, b: LB, c: LC)
    where
        A: FnOnce() -> AR,
        AR: Into<String>,
        LA: FnOnce(LinearCombination<Scalar>) -> LinearCombination<Scalar>,
        LB: FnOnce(LinearCombination<Scalar>) -> LinearCombination<Scalar>,
        LC: FnOnce(LinearCombination<Scalar>) -> LinearCombination<Scalar>,
    {
        let Matrices { a: of_a, b: of_b, c: of_c, coefficients, .. } = self;
        let mut add_row = |matrix: &mut Matrix, row: &LinearCombination<Scalar>| {
            for (variable, coefficient) in row.iter() {
                let column = match variable.get_unchecked() {
                    Index::Input(at) => at as u32,
                    Index::Aux(at) => AUX | at as u32,
                };
                matrix.entries.push((column, coefficients.number_of(coefficient)));
            }
            matrix.ends.push(matrix.entries.len() as u32);
        };
        add_row(of_a, &a(LinearCombination::zero()));
        add_row(of_b, &b(LinearCombination::zero()));
        add_row(of_c, &c(LinearCombination::zero()));
    }

    fn push_namespace<NR, N>(&mut self, _: N)
    where
        NR: Into<String>,
        N: FnOnce() -> NR,
    {
    }

    fn pop_namespace(&mut self) {}

    fn get_root(&mut self) -> &mut Self {
        self
    }
}
