package plateau.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.api.Test;
import plateau.reference.Float64Tape.Node;

class Float64TapeTest {

    @Test
    void smallNetworkByHand() {
        Float64Tape tape = new Float64Tape();
        Node x = tape.leaf(2, 1, 1, -1);
        Node w = tape.leaf(1, 2, 2, -3);
        Node b = tape.leaf(1, 2, 0.5, 0.25);
        Node h = tape.relu(tape.dense(x, w, b)); // rows (2.5, 0) and (0, 3.25)
        Node p = tape.product(h, tape.leaf(2, 1, 0.1, 1)); // 0.25, 3.25
        Node loss = tape.hinge(p, tape.leaf(2, 1, 1, 1)); // (0.75 + 0) / 2
        assertEquals(0.375, loss.scalar());
        tape.backward(loss);
        assertArrayEquals(new double[] {-0.5, 0}, p.gradient());
        assertArrayEquals(new double[] {-0.05, 0}, w.gradient(), 1e-15);
        assertArrayEquals(new double[] {-0.05, 0}, b.gradient(), 1e-15);
    }

    @Test
    void everyOperationAgreesWithDifferences() {
        Random random = new Random(1);
        double[] a = random.doubles(6, -1, 1).toArray();
        double[] b = random.doubles(6, -1, 1).toArray();
        Float64Tape tape = new Float64Tape();
        Node na = tape.leaf(2, 3, a);
        tape.backward(function(tape, na, b));
        for (int i = 0; i < a.length; i++) {
            double[] above = a.clone();
            double[] below = a.clone();
            above[i] += 1e-5;
            below[i] -= 1e-5;
            assertEquals((value(above, b) - value(below, b)) / 2e-5, na.gradient()[i], 1e-9);
        }
    }

    private static double value(double[] a, double[] b) {
        Float64Tape tape = new Float64Tape();
        return function(tape, tape.leaf(2, 3, a), b).scalar();
    }

    /**
     * A function of a with several uses of it: mean(sin(a b a + a) ∘ (a + row of b)), a (2, 3), b
     * (3, 2).
     */
    private static Node function(Float64Tape tape, Node a, double[] b) {
        Node aba = tape.product(tape.product(a, tape.leaf(3, 2, b)), a);
        Node s = tape.map(tape.sum(aba, a), Math::sin, Math::cos);
        Node row = tape.leaf(1, 3, b[0], b[1], b[2]);
        return tape.mean(tape.reshape(tape.times(s, tape.sum(a, row)), 3, 2));
    }
}
