package plateau.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import plateau.check.KernelCheck;

/** The catalogue against the kernel files, and occupancy against values worked out by hand. */
class CatalogueTest {
    private static final Path ROOT = Path.of(System.getProperty("plateau.basedir"));

    private static Catalogue.Entry kernel(String name) {
        return Catalogue.files().stream()
                .flatMap(file -> file.kernels().stream())
                .filter(kernel -> kernel.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void everyKernelIsInItWhereItStands() throws IOException {
        Set<String> listed = new TreeSet<>();
        for (Catalogue.KernelFile file : Catalogue.files()) {
            List<String> lines = Files.readAllLines(ROOT.resolve(file.file()));
            for (Catalogue.Entry kernel : file.kernels()) {
                assertTrue(listed.add(kernel.name()), kernel.name());
                String line = lines.get(kernel.line() - 1);
                assertTrue(line.contains(kernel.name() + "("), () -> kernel.name() + " is not in: " + line);
                assertTrue(kernel.comment().length() > 8 && kernel.summary().length() > 8, kernel::toString);
            }
        }
        assertEquals(new TreeSet<>(KernelCheck.kernels()), listed);
    }

    @Test
    void aKernelIsAsItsFileDeclaresIt() {
        Catalogue.Entry forward = kernel("dense_forward");
        assertEquals(256, forward.bound());
        assertEquals("y = act(x w + b).", forward.summary());
        assertEquals("Grid (ceil(n / 64), ceil(m / 64)).", forward.launch());
        assertEquals(
                List.of(
                        "int m",
                        "int n",
                        "int k",
                        "const float* x(m, k)",
                        "const float* w(k, n)",
                        "const float* bias",
                        "int relu",
                        "float* y(m, n)"),
                forward.parameters().stream()
                        .map(parameter -> parameter.type() + " " + parameter.name() + parameter.shape())
                        .toList());
        Catalogue.Entry sgd = kernel("sgd");
        assertEquals(0, sgd.bound());
        assertEquals("Plain stochastic gradient descent: w -= lr g.", sgd.summary());
        assertEquals("A thread per element.", sgd.launch());
    }

    /** With ptxas all kernels have been through it, for the same architectures; else none. */
    @Test
    void whatPtxasSaidIsKnownOfAllOrOfNone() {
        Set<List<String>> architectures = Catalogue.files().stream()
                .flatMap(file -> file.kernels().stream())
                .map(kernel ->
                        kernel.uses().stream().map(Catalogue.Use::architecture).toList())
                .collect(Collectors.toSet());
        assertEquals(1, architectures.size(), architectures::toString);
        for (Catalogue.Use use : kernel("dense_forward").uses()) {
            assertEquals(2 * (16 * 64 + 64) * Float.BYTES, use.sharedBytes(), use::toString);
            assertTrue(use.registers() >= 16 && use.registers() <= 64, use::toString); // of 65,536 / 1024
        }
    }

    @Test
    void occupancyIsThatOfTheScarcest() {
        // Nothing is scarce: 8 blocks of 8 warps are the 64 of a multiprocessor.
        assertEquals(1, new Catalogue.Use("sm_90", 32, 0, 0).occupancy(256));
        // 40 registers: 1,280 a warp, 12 warps in each quarter of 16,384, 48 of 64.
        assertEquals(0.75, new Catalogue.Use("sm_90", 40, 0, 0).occupancy(256));
        // One block of 32 warps where there is room for 48.
        assertEquals(32 / 48.0, new Catalogue.Use("sm_86", 16, 0, 0).occupancy(1024));
        // Two blocks with 44,676 B do not fit 64 KiB: 13 of 32 warps.
        assertEquals(13 / 32.0, new Catalogue.Use("sm_75", 64, 44_676, 0).occupancy(416));
        // 16 blocks of one warp at most.
        assertEquals(16 / 32.0, new Catalogue.Use("sm_75", 16, 0, 0).occupancy(32));
        // 33 registers are given out as 40; and 25 KiB of shared memory fit 100 KiB three times.
        assertEquals(24 / 48.0, new Catalogue.Use("sm_89", 33, 25 << 10, 0).occupancy(256));
    }
}
