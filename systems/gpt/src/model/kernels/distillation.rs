//! How far a student's logits are from its teacher's, and the gradient of that.

use rekindle_compute::{kernel, math};

use super::loss::largest;
use super::rows::sum_of;

kernel! {
    /// The divergence of a teacher's softmax from a student's, both of logits divided by the temperature, times the square
    /// of the temperature: into `loss`, in nats. In the place of the student's logits: its gradient. Those of the teacher
    /// are overwritten.
    pub fn divergence(student: &mut [f32], teacher: &mut [f32], loss: &mut f32, temperature: f32) {
        scale_down(student, temperature);
        scale_down(teacher, temperature);
        let len = student.len();
        let student_total = sum_of(len, |index| math::exp(student[index]));
        let teacher_total = sum_of(len, |index| math::exp(teacher[index]));
        let weighted = sum_of(len, |index| math::exp(teacher[index]) * (teacher[index] - student[index]));
        let divergence = weighted / teacher_total + math::ln(student_total) - math::ln(teacher_total);
        *loss = temperature * temperature * divergence;
        for (student, teacher) in student.iter_mut().zip(teacher) {
            let probability = math::exp(*student) / student_total;
            *student = temperature * (probability - math::exp(*teacher) / teacher_total);
        }
    }
}

/// Logits over the temperature, less the largest.
#[inline(always)]
fn scale_down(logits: &mut [f32], temperature: f32) {
    let largest = largest(logits);
    for logit in logits.iter_mut() {
        *logit = (*logit - largest) / temperature;
    }
}

kernel! {
    /// `sums = kept * sums + factor * numbers`.
    pub fn mix(sums: &mut [f32], numbers: &[f32], kept: f32, factor: f32) {
        for (sum, number) in sums.iter_mut().zip(numbers) {
            *sum = number.mul_add(factor, *sum * kept);
        }
    }
}

#[cfg(test)]
mod tests {
    use rekindle_compute::KernelPath;

    use super::*;

    const STUDENT: [f32; 5] = [0.3, -1.2, 2.0, 0.0, 0.7];
    const TEACHER: [f32; 5] = [1.0, 0.4, 1.1, -2.0, 0.1];

    fn loss_and_gradient(student: [f32; 5], temperature: f32) -> (f32, [f32; 5]) {
        let (mut gradient, mut teacher, mut loss) = (student, TEACHER, 0.0);
        divergence(KernelPath::Portable, &mut gradient, &mut teacher, &mut loss, temperature);
        (loss, gradient)
    }

    #[test]
    fn the_gradient_is_that_of_the_divergence() {
        for temperature in [1.0, 2.5] {
            let (_, gradient) = loss_and_gradient(STUDENT, temperature);
            for index in 0..5 {
                let moved = |by: f32| {
                    let mut student = STUDENT;
                    student[index] += by;
                    loss_and_gradient(student, temperature).0
                };
                let slope = (moved(1e-2) - moved(-1e-2)) / 2e-2;
                assert!((slope - gradient[index]).abs() < 2e-3, "{index}: {slope} {}", gradient[index]);
            }
        }
    }

    #[test]
    fn a_student_that_says_the_same_has_nothing_to_learn() {
        let shifted = TEACHER.map(|logit| logit + 3.0);
        let (loss, gradient) = loss_and_gradient(shifted, 2.0);
        assert!(loss.abs() < 1e-5, "{loss}");
        assert!(gradient.iter().all(|number| number.abs() < 1e-5), "{gradient:?}");
    }

    #[test]
    fn all_kernels_compute_the_same_bits() {
        let numbers: Vec<f32> = (0..53).map(|index| (index as f32 * 0.37).sin() * 4.0).collect();
        let results = KernelPath::available().into_iter().map(|path| {
            let (mut student, mut teacher, mut loss) = (numbers.clone(), numbers.clone(), 0.0);
            teacher.reverse();
            divergence(path, &mut student, &mut teacher, &mut loss, 1.7);
            mix(path, &mut teacher, &student, 0.5, 0.25);
            let bits: Vec<u32> = student.iter().chain(&teacher).chain([&loss]).map(|x| x.to_bits()).collect();
            bits
        });
        let results: Vec<_> = results.collect();
        assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
    }
}
