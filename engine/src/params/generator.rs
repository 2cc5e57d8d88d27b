//! Generates the Groth16 parameters of a circuit, as bellperson's generator does and byte for byte the same, in a sixth of
//! its time: multiples come from tables (`fixed_base`), Lagrange coefficients from their closed form. The file is
//! written as it is made, so memory holds scalars only. For test sizes alone: who generates parameters can forge proofs.

use super::circuit::{Columns, Matrices};
use super::domain::{invert, Domain};
use super::fixed_base::{table_g1, table_g2, Table};
use anyhow::{ensure, Context};
use bellpepper_core::{Circuit, ConstraintSystem, Index, Variable};
use bellperson::groth16::VerifyingKey;
use blstrs::{Bls12, G1Affine, G1Projective, G2Projective, Scalar};
use ff::Field;
use group::{Curve, Group, UncompressedEncoding};
use rand::RngCore;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Points that are made at a time, then written.
const CHUNK: usize = 1 << 16;
/// An addition in G2 costs about three in G1.
const G2_COST: usize = 3;

/// What nobody may keep: whoever knows it can prove anything.
pub struct Secrets {
    pub g1: G1Projective,
    pub g2: G2Projective,
    pub alpha: Scalar,
    pub beta: Scalar,
    pub gamma: Scalar,
    pub delta: Scalar,
    pub tau: Scalar,
}

impl Secrets {
    /// Drawn in the order of bellperson.
    pub fn random(rng: &mut impl RngCore) -> Secrets {
        Secrets {
            g1: G1Projective::random(&mut *rng),
            g2: G2Projective::random(&mut *rng),
            alpha: Scalar::random(&mut *rng),
            beta: Scalar::random(&mut *rng),
            gamma: Scalar::random(&mut *rng),
            delta: Scalar::random(&mut *rng),
            tau: Scalar::random(&mut *rng),
        }
    }
}

/// Writes the parameters of `circuit` to `out`. `on_progress` is called with the fraction done, 0 to 1.
/// Returns the verifying key.
pub fn generate<C: Circuit<Scalar>>(
    circuit: C,
    secrets: &Secrets,
    out: &mut impl Write,
    on_progress: &(impl Fn(f64) + Sync),
) -> anyhow::Result<VerifyingKey<Bls12>> {
    let matrices = synthesize(circuit)?;
    let domain = Domain::of(matrices.constraints(), &secrets.tau)?;
    let queries = Queries::of(&matrices, secrets, &domain)?;
    drop(matrices);
    let powers = domain.h_powers(&secrets.delta)?;

    let total = powers.count + queries.in_g1() + G2_COST * queries.b.len();
    let done = AtomicUsize::new(0);
    let report = |cost: usize| on_progress((done.fetch_add(cost, Ordering::Relaxed) + cost) as f64 / total as f64);
    let (g1, g2) = (table_g1(&secrets.g1), table_g2(&secrets.g2));

    let vk = secrets.verifying_key(g1.multiply(&queries.ic, &report));
    vk.write(&mut *out).context("writing the verifying key")?;
    write_count(out, powers.count)?;
    for start in (0..powers.count).step_by(CHUNK) {
        write_points(out, &g1.multiply(&powers.from(start, CHUNK), &report))?;
    }
    for scalars in [&queries.l, &queries.a, &queries.b] {
        write_multiples(out, &g1, scalars, &report)?;
    }
    write_multiples(out, &g2, &queries.b, &|points| report(G2_COST * points))?;
    Ok(vk)
}

fn synthesize<C: Circuit<Scalar>>(circuit: C) -> anyhow::Result<Matrices> {
    let mut matrices = Matrices::default();
    matrices.alloc_input(|| "", || Ok(Scalar::ONE))?;
    circuit.synthesize(&mut matrices)?;
    // x * 0 = 0 for each input: then no element of the IC query is zero.
    for i in 0..matrices.inputs {
        matrices.enforce(|| "", |lc| lc + Variable::new_unchecked(Index::Input(i)), |lc| lc, |lc| lc);
    }
    Ok(matrices)
}

/// The scalars of all queries but H. Zeros are left out of A and B, as their points would be at infinity.
struct Queries {
    ic: Vec<Scalar>,
    l: Vec<Scalar>,
    a: Vec<Scalar>,
    b: Vec<Scalar>,
}

impl Queries {
    fn of(matrices: &Matrices, secrets: &Secrets, domain: &Domain) -> anyhow::Result<Queries> {
        let weights = domain.lagrange()?;
        let column_sums = |matrix| matrices.weighted(matrix, &weights);
        let (a, (b, c)) = rayon::join(
            || column_sums(&matrices.a),
            || rayon::join(|| column_sums(&matrices.b), || column_sums(&matrices.c)),
        );
        let combined = |a: &[Scalar], b: &[Scalar], c: &[Scalar], divisor: &Scalar| -> anyhow::Result<Vec<Scalar>> {
            let inverse = invert(divisor)?;
            let sum = |((a, b), c): ((&Scalar, &Scalar), &Scalar)| (a * secrets.beta + b * secrets.alpha + c) * inverse;
            Ok(a.iter().zip(b).zip(c).map(sum).collect())
        };
        let ic = combined(&a.inputs, &b.inputs, &c.inputs, &secrets.gamma)?;
        let l = combined(&a.aux, &b.aux, &c.aux, &secrets.delta)?;
        ensure!(!l.iter().any(|scalar| bool::from(scalar.is_zero())), "the circuit has an unconstrained variable");
        Ok(Queries { ic, l, a: without_zeros(a), b: without_zeros(b) })
    }

    fn in_g1(&self) -> usize {
        self.ic.len() + self.l.len() + self.a.len() + self.b.len()
    }
}

fn without_zeros(Columns { mut inputs, aux }: Columns) -> Vec<Scalar> {
    inputs.extend(aux);
    inputs.retain(|scalar| !bool::from(scalar.is_zero()));
    inputs
}

impl Secrets {
    fn verifying_key(&self, ic: Vec<G1Affine>) -> VerifyingKey<Bls12> {
        VerifyingKey {
            alpha_g1: (self.g1 * self.alpha).to_affine(),
            beta_g1: (self.g1 * self.beta).to_affine(),
            beta_g2: (self.g2 * self.beta).to_affine(),
            gamma_g2: (self.g2 * self.gamma).to_affine(),
            delta_g1: (self.g1 * self.delta).to_affine(),
            delta_g2: (self.g2 * self.delta).to_affine(),
            ic,
        }
    }
}

fn write_multiples<F: Field, P: UncompressedEncoding + Send + Sync>(
    out: &mut impl Write,
    table: &Table<F, P>,
    scalars: &[Scalar],
    on_done: &(impl Fn(usize) + Sync),
) -> anyhow::Result<()> {
    write_count(out, scalars.len())?;
    scalars.chunks(CHUNK).try_for_each(|chunk| write_points(out, &table.multiply(chunk, on_done)))
}

fn write_count(out: &mut impl Write, count: usize) -> anyhow::Result<()> {
    out.write_all(&u32::try_from(count)?.to_be_bytes()).context("writing the parameters")
}

fn write_points<P: UncompressedEncoding>(out: &mut impl Write, points: &[P]) -> anyhow::Result<()> {
    let mut write = |point: &P| out.write_all(point.to_uncompressed().as_ref());
    points.iter().try_for_each(&mut write).context("writing the parameters")
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellpepper_core::SynthesisError;
    use rand::{rngs::StdRng, SeedableRng};

    /// Products in a chain, with coefficients of all sorts, columns without entries in A or B, and several inputs.
    #[derive(Clone)]
    struct Chain {
        constraints: u64,
    }

    impl Circuit<Scalar> for Chain {
        fn synthesize<CS: ConstraintSystem<Scalar>>(self, cs: &mut CS) -> Result<(), SynthesisError> {
            let x = cs.alloc_input(|| "x", || Ok(Scalar::ONE))?;
            let y = cs.alloc_input(|| "y", || Ok(Scalar::ONE))?;
            let mut before = cs.alloc(|| "", || Ok(Scalar::ONE))?;
            let mut last = cs.alloc(|| "", || Ok(Scalar::ONE))?;
            for i in 0..self.constraints {
                let next = cs.alloc(|| "", || Ok(Scalar::ONE))?;
                let factor = Scalar::from(i % 50);
                cs.enforce(
                    || "",
                    |lc| lc + before - (factor, x),
                    |lc| lc + last + (factor, y) + CS::one(),
                    |lc| lc + next - (factor, before),
                );
                (before, last) = (last, next);
            }
            cs.enforce(|| "", |lc| lc + before + last, |lc| lc, |lc| lc);
            Ok(())
        }
    }

    #[test]
    fn parameters_are_those_of_bellperson_byte_for_byte() {
        // Around a power of 2 with the constraints of the three inputs.
        for constraints in [1, 60, 123, 124, 125, 2000] {
            let circuit = Chain { constraints };
            let secrets = Secrets::random(&mut StdRng::seed_from_u64(constraints));
            let mut own = Vec::new();
            let vk = generate(circuit.clone(), &secrets, &mut own, &|_| ()).unwrap();
            let Secrets { g1, g2, alpha, beta, gamma, delta, tau } = secrets;
            let theirs =
                bellperson::groth16::generate_parameters::<Bls12, _>(circuit, g1, g2, alpha, beta, gamma, delta, tau)
                    .unwrap();
            let mut expected = Vec::new();
            theirs.write(&mut expected).unwrap();
            assert!(own == expected, "{constraints} constraints");
            assert!(vk == theirs.vk);
        }
    }

    #[test]
    fn progress_ends_at_one() {
        let last = std::sync::Mutex::new(0.0);
        let secrets = Secrets::random(&mut StdRng::seed_from_u64(1));
        generate(Chain { constraints: 5000 }, &secrets, &mut std::io::sink(), &|fraction| {
            let mut last = last.lock().unwrap();
            *last = fraction.max(*last);
        })
        .unwrap();
        assert_eq!(*last.lock().unwrap(), 1.0);
    }

    #[test]
    fn a_variable_without_constraints_is_refused() {
        #[derive(Clone)]
        struct Loose;
        impl Circuit<Scalar> for Loose {
            fn synthesize<CS: ConstraintSystem<Scalar>>(self, cs: &mut CS) -> Result<(), SynthesisError> {
                cs.alloc(|| "", || Ok(Scalar::ONE)).map(|_| ())
            }
        }
        let secrets = Secrets::random(&mut StdRng::seed_from_u64(1));
        let error = generate(Loose, &secrets, &mut std::io::sink(), &|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "the circuit has an unconstrained variable");
    }
}
