package plateau.autograd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import plateau.cuda.Device;
import plateau.reference.TestDevice;

/** What a network learns is declared once, completely, and under names that files can hold. */
class ParametersTest {
    private static final Shape MATRIX = Shape.of(3, 4);

    private Device device;
    private Workspace workspace;

    @BeforeEach
    void open() {
        device = TestDevice.open();
        workspace = new Workspace(device);
    }

    @AfterEach
    void close() {
        workspace.close();
        device.close();
    }

    @Test
    void namesAreUniqueAndHaveNoSlash() {
        Parameters.Declaration declaration = new Parameters.Declaration();
        declaration.declare("w", MATRIX, null);
        assertEquals(
                "Two parameters are named w",
                assertThrows(IllegalArgumentException.class, () -> declaration.declare("w", MATRIX, null)).getMessage());
        assertEquals(
                "The name of a parameter has no slash: encoder/w",
                assertThrows(IllegalArgumentException.class, () -> declaration.declare("encoder/w", MATRIX, null)).getMessage());
    }

    @Test
    void nothingIsDeclaredAfterTheAllocation() {
        Parameters.Declaration declaration = new Parameters.Declaration();
        declaration.declare("w", MATRIX, null);
        declaration.allocate(workspace, new Sgd(1));
        assertEquals(
                "Parameter late is declared after the others were allocated",
                assertThrows(IllegalStateException.class, () -> declaration.declare("late", MATRIX, null)).getMessage());
    }

    @Test
    void thereIsSomethingToLearn() {
        Parameters.Declaration declaration = new Parameters.Declaration();
        assertEquals(
                "No parameter is declared: there is nothing to learn",
                assertThrows(IllegalStateException.class, () -> declaration.allocate(workspace, new Sgd(1))).getMessage());
    }

    @Test
    void aParameterOfAnotherNetworkIsRefused() {
        Parameters.Declaration declaration = new Parameters.Declaration();
        Parameter w = declaration.declare("w", MATRIX, null);
        declaration.declare("b", Shape.of(4), null);
        Parameters parameters = declaration.allocate(workspace, new Sgd(1));

        Parameters.Declaration again = new Parameters.Declaration();
        assertSame(parameters.tensor(w), parameters.tensor(again.declare("w", MATRIX, null)));

        Parameter other = new Parameters.Declaration().declare("q", Shape.of(7, 7), null);
        assertEquals(
                "q (7x7) is none of these parameters: w, b",
                assertThrows(IllegalArgumentException.class, () -> parameters.tensor(other)).getMessage());
        Parameter wider = new Parameters.Declaration().declare("w", Shape.of(3, 5), null);
        assertThrows(IllegalArgumentException.class, () -> parameters.tensor(wider));
        again.declare("b", Shape.of(4), null);
        Parameter third = again.declare("c", Shape.of(4), null);
        assertThrows(IllegalArgumentException.class, () -> parameters.tensor(third));
    }
}
