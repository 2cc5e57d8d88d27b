//! Multiples of one point by many scalars. Parameters are millions of multiples of the same two generators, so a table of
//! the generator's multiples replaces the doublings of a general multiplication: about 20 additions are left of 255
//! doublings and 50 additions. Additions are affine, and a batch of them shares one inversion (Montgomery's trick).

use blstrs::{G1Affine, G1Projective, G2Affine, G2Projective, Scalar};
use ff::{Field, PrimeField};
use group::{Curve, Group};
use rayon::prelude::*;

/// Bits of a digit. A table row of 2^11 points (192 KiB in G1) stays in a core's cache while a batch uses it.
const WINDOW: usize = 12;
/// Digits are signed, -2^11 ..= 2^11: half the points, as the negative of a point costs nothing.
const POINTS: usize = 1 << (WINDOW - 1);
/// One more than a scalar has bits: the highest digit may carry.
const BITS: usize = Scalar::NUM_BITS as usize + 1;
const DIGITS: usize = BITS.div_ceil(WINDOW);
/// Scalars that share inversions.
const BATCH: usize = 1024;

/// A point that is not at infinity.
#[derive(Clone, Copy)]
struct Point<F> {
    x: F,
    y: F,
}

/// `rows[i][d - 1]` is `d * 2^(WINDOW * i)` times the generator.
pub struct Table<F, P> {
    rows: Vec<Vec<Point<F>>>,
    to_affine: fn(Option<(F, F)>) -> P,
}

/// The table of a generator of G1. Coordinates are of a type that blstrs does not name.
pub fn table_g1(generator: &G1Projective) -> Table<impl Field, G1Affine> {
    Table {
        rows: rows(generator, |point: &G1Affine| Point { x: point.x(), y: point.y() }),
        to_affine: |point| match point {
            Some((x, y)) => G1Affine::from_raw_unchecked(x, y, false),
            None => G1Affine::default(),
        },
    }
}

/// The table of a generator of G2.
pub fn table_g2(generator: &G2Projective) -> Table<impl Field, G2Affine> {
    Table {
        rows: rows(generator, |point: &G2Affine| Point { x: point.x(), y: point.y() }),
        to_affine: |point| match point {
            Some((x, y)) => G2Affine::from_raw_unchecked(x, y, false),
            None => G2Affine::default(),
        },
    }
}

fn rows<F: Field, G: Curve + Group<Scalar = Scalar>>(
    generator: &G,
    to_point: fn(&G::AffineRepr) -> Point<F>,
) -> Vec<Vec<Point<F>>>
where
    G::AffineRepr: Clone + Default + Sync,
{
    let bases = std::iter::successors(Some(*generator), |base| Some((0..WINDOW).fold(*base, |base, _| base.double())));
    let bases: Vec<G> = bases.take(DIGITS).collect();
    bases
        .into_par_iter()
        .map(|base| {
            let multiples: Vec<G> =
                std::iter::successors(Some(base), |point| Some(*point + base)).take(POINTS).collect();
            let mut affine = vec![G::AffineRepr::default(); POINTS];
            G::batch_normalize(&multiples, &mut affine);
            affine.iter().map(to_point).collect()
        })
        .collect()
}

impl<F: Field, P: Send + Sync> Table<F, P> {
    /// The generator times each scalar, in their order. Runs on all threads of rayon's pool.
    /// `on_done` is called with a number of points that have been made.
    pub fn multiply(&self, scalars: &[Scalar], on_done: &(impl Fn(usize) + Sync)) -> Vec<P> {
        scalars
            .par_chunks(BATCH)
            .flat_map_iter(|batch| {
                let points = self.multiply_batch(batch);
                on_done(batch.len());
                points
            })
            .collect()
    }

    fn multiply_batch(&self, scalars: &[Scalar]) -> Vec<P> {
        let digits: Vec<[i16; DIGITS]> = scalars.iter().map(digits_of).collect();
        let mut sums: Vec<Option<Point<F>>> = vec![None; scalars.len()];
        let mut addends = Vec::with_capacity(scalars.len());
        for (i, row) in self.rows.iter().enumerate() {
            addends.clear();
            for (at, digits) in digits.iter().enumerate() {
                let digit = digits[i];
                if digit != 0 {
                    let Point { x, y } = row[usize::from(digit.unsigned_abs()) - 1];
                    addends.push((at, Point { x, y: if digit < 0 { -y } else { y } }));
                }
            }
            add_all(&mut sums, &addends);
        }
        sums.into_iter().map(|sum| (self.to_affine)(sum.map(|Point { x, y }| (x, y)))).collect()
    }
}

/// The digits of a scalar, lowest first.
fn digits_of(scalar: &Scalar) -> [i16; DIGITS] {
    let bytes = scalar.to_repr();
    let bit = |at: usize| bytes.as_ref().get(at / 8).map_or(0, |byte| i16::from(byte >> (at % 8) & 1));
    let mut carry = 0;
    std::array::from_fn(|i| {
        let digit = (0..WINDOW).rev().fold(0, |digit, k| digit << 1 | bit(i * WINDOW + k)) + carry;
        carry = i16::from(digit > POINTS as i16);
        digit - (carry << WINDOW)
    })
}

/// Adds points to sums, each to the one at its index: `sums[at] += point`. One inversion for all.
fn add_all<F: Field>(sums: &mut [Option<Point<F>>], addends: &[(usize, Point<F>)]) {
    // The slope of the line through both points is a fraction; those that the formula of unequal points does not cover
    // are settled first and get no slope.
    let mut slopes: Vec<(usize, Point<F>, F, F)> = Vec::with_capacity(addends.len());
    let mut product = F::ONE;
    let mut products = Vec::with_capacity(addends.len());
    for &(at, point) in addends {
        let Some(sum) = sums[at] else {
            sums[at] = Some(point);
            continue;
        };
        let (numerator, denominator) = if sum.x != point.x {
            (point.y - sum.y, point.x - sum.x)
        } else if sum.y == point.y {
            (sum.x.square() * three::<F>(), sum.y.double())
        } else {
            sums[at] = None;
            continue;
        };
        products.push(product);
        product *= denominator;
        slopes.push((at, point, numerator, denominator));
    }
    let mut inverse = product.invert().expect("no denominator is zero: no point of odd order has y = 0");
    for ((at, point, numerator, denominator), before) in slopes.into_iter().zip(products).rev() {
        let slope = numerator * inverse * before;
        inverse *= denominator;
        let sum = sums[at].as_mut().expect("only sums that exist have slopes");
        let x = slope.square() - sum.x - point.x;
        sum.y = slope * (sum.x - x) - sum.y;
        sum.x = x;
    }
}

fn three<F: Field>() -> F {
    F::ONE.double() + F::ONE
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{rngs::StdRng, SeedableRng};

    /// Those at the edges of digits and of the field, then random ones.
    fn scalars(rng: &mut StdRng) -> Vec<Scalar> {
        let small = [0, 1, 2, 2047, 2048, 2049, 4095, 4096, 4097, u64::MAX].map(Scalar::from);
        let top = (0..Scalar::NUM_BITS).map(|bit| Scalar::from(2).pow_vartime([u64::from(bit)]));
        let mut all: Vec<Scalar> = small.into_iter().chain(top).flat_map(|one| [one, -one]).collect();
        all.extend((0..3000).map(|_| Scalar::random(&mut *rng)));
        all
    }

    #[test]
    fn multiples_are_those_of_the_library() {
        let rng = &mut StdRng::seed_from_u64(7);
        let (g1, g2) = (G1Projective::random(&mut *rng), G2Projective::random(&mut *rng));
        let scalars = scalars(rng);
        let expected: Vec<G1Affine> = scalars.iter().map(|scalar| (g1 * scalar).to_affine()).collect();
        assert_eq!(table_g1(&g1).multiply(&scalars, &|_| ()), expected);
        let expected: Vec<G2Affine> = scalars.iter().map(|scalar| (g2 * scalar).to_affine()).collect();
        assert_eq!(table_g2(&g2).multiply(&scalars, &|_| ()), expected);
    }

    #[test]
    fn sums_of_equal_and_opposite_points_are_right() {
        let point = |n: u64| {
            let affine = (G1Projective::generator() * Scalar::from(n)).to_affine();
            Point { x: affine.x(), y: affine.y() }
        };
        let (one, two, three) = (point(1), point(2), point(3));
        let minus_one = Point { x: one.x, y: -one.y };
        let mut sums = [None, Some(one), Some(one), Some(two)];
        add_all(&mut sums, &[(0, one), (1, one), (2, minus_one), (3, one)]);
        let coordinates = |sum: Option<Point<_>>| sum.map(|Point { x, y }| (x, y));
        assert_eq!(sums.map(coordinates), [Some(one), Some(two), None, Some(three)].map(coordinates));
    }
}
