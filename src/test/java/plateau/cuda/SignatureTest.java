package plateau.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import plateau.reference.TestDevice;

/** A launch's arguments are compared with the kernel's parameters before the driver reads them. */
class SignatureTest {
    private Device device;
    private DeviceBuffer buffer;

    @BeforeEach
    void open() {
        device = TestDevice.open();
        buffer = device.upload(1f, 2f, 3f, 4f);
    }

    @AfterEach
    void close() {
        buffer.close();
        device.close();
    }

    private String refusal(String kernelName, Object... arguments) {
        Kernel kernel = device.module("optimizer").replicated(kernelName);
        return assertThrows(IllegalArgumentException.class, () -> kernel.elementwise(1, arguments), kernelName)
                .getMessage();
    }

    /** adam_rate(learning rate, step, double β₁, double β₂, rate). */
    @Test
    void aFloatIsNoDouble() {
        assertEquals(
                "kernel adam_rate, argument 2: it takes 8 bytes (a pointer, long or double), not the 4 of a float",
                refusal("adam_rate", buffer, buffer, 0.9f, 0.99f, buffer));
        assertEquals(
                "kernel adam_rate, argument 3: it takes 8 bytes (a pointer, long or double), not the 4 of a float",
                refusal("adam_rate", buffer, buffer, 0.9, 0.99f, buffer));
    }

    /** adam(n, rate, float β₁, float β₂, float ε, gradient, m, v, w). */
    @Test
    void aDoubleIsNoFloat() {
        assertEquals(
                "kernel adam, argument 4: it takes 4 bytes (an int or float), not the 8 of a double",
                refusal("adam", 1, buffer, 0.9f, 0.99f, 1e-5, buffer, buffer, buffer, buffer));
    }

    /** sgd(n, learning rate, gradient, w). */
    @Test
    void thereAreAsManyArgumentsAsParameters() {
        assertEquals(
                "kernel sgd takes 4 arguments, not 7: argument 4 (an int) is too many",
                refusal("sgd", 1, buffer, buffer, buffer, 5, 6, 7));
        assertEquals(
                "kernel sgd takes 4 arguments, not 3: argument 3, 8 bytes (a pointer, long or double), is missing",
                refusal("sgd", 1, buffer, buffer));
        assertEquals(
                "kernel sgd takes 4 arguments, not 0: argument 0, 4 bytes (an int or float), is missing",
                refusal("sgd"));
    }

    @Test
    void whatIsNoPointerIsRefusedForOne() {
        String pointer = "kernel sgd, argument 1: it takes 8 bytes (a pointer, long or double), not the 4 of an int";
        assertEquals(pointer, refusal("sgd", 1, 1, buffer, buffer));
        for (Object wrong : new Object[] {buffer, null, 1L, 1.0}) {
            String given = wrong == buffer
                    ? "DeviceBuffer"
                    : wrong == null ? "null pointer" : wrong instanceof Long ? "long" : "double";
            assertEquals(
                    "kernel sgd, argument 0: it takes 4 bytes (an int or float), not the 8 of a " + given,
                    refusal("sgd", wrong, buffer, buffer, buffer));
        }
        assertEquals(
                "kernel sgd, argument 1: a String is no kernel argument; give a DeviceBuffer or null for a pointer,"
                        + " an Integer, Long, Float or Double for a value",
                refusal("sgd", 1, "text", buffer, buffer));
    }

    @Test
    void whatFitsIsLaunched() {
        try (DeviceBuffer rate = device.upload(0.5f);
                Stream stream = device.createStream()) {
            Kernel sgd = device.module("optimizer").replicated("sgd");
            assertEquals(List.of(4, 8, 8, 8), sgd.parameterBytes().orElseThrow());
            sgd.elementwise(2, 2, rate, buffer, buffer).enqueue(stream);
            stream.synchronize();
        }
        assertArrayEquals(new float[] {0.5f, 1, 3, 4}, buffer.toFloats());
    }

    /**
     * Drivers before CUDA 12.4 do not tell; then every argument is taken as it is, but for its Java
     * type.
     */
    @Test
    void withoutASignatureOnlyJavaTypesAreChecked() {
        Signature.UNKNOWN.check("sgd", 1, 2f, 3L);
        assertThrows(IllegalArgumentException.class, () -> Signature.UNKNOWN.check("sgd", 'c'));
    }
}
