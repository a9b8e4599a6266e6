package plateau.cuda.load;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** The instruction set that the kernels for the CPU are compiled for. */
public final class CpuLevel {
    /**
     * As Linux names them. LZCNT, which it calls abm, is left out: no processor has AVX2 and BMI2
     * without it, and some virtual machines have it, but not its name.
     */
    private static final Set<String> V3 = Set.of("avx2", "bmi1", "bmi2", "fma", "f16c", "movbe");

    private static final Set<String> V4 = Set.of("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl");

    private CpuLevel() {}

    /**
     * The best that this machine runs: {@code x86-64-v4} or {@code x86-64-v3}; the system property
     * {@code plateau.cpu} forces one.
     *
     * @throws NativeFileException where the machine has neither
     */
    public static String ofThisMachine() {
        return of(Optional.ofNullable(System.getProperty("plateau.cpu")), flags());
    }

    static String of(Optional<String> forced, Set<String> flags) {
        if (forced.isPresent()) {
            if (!forced.get().equals("x86-64-v3") && !forced.get().equals("x86-64-v4")) {
                throw new NativeFileException("plateau.cpu must be x86-64-v3 or x86-64-v4, not " + forced.get());
            }
            return forced.get();
        }
        if (!flags.containsAll(V3)) {
            String missing =
                    V3.stream().filter(flag -> !flags.contains(flag)).sorted().collect(Collectors.joining(", "));
            throw new NativeFileException(
                    "this processor cannot run the CPU kernels: they need x86-64-v3 (Intel Haswell or AMD Excavator"
                            + " and later) and it lacks "
                            + missing + "; use a GPU (device cuda) or another machine");
        }
        return flags.containsAll(V4) ? "x86-64-v4" : "x86-64-v3";
    }

    private static Set<String> flags() {
        try {
            return Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                    .filter(line -> line.startsWith("flags"))
                    .findFirst()
                    .map(line -> Set.copyOf(Arrays.asList(
                            line.substring(line.indexOf(':') + 1).trim().split("\\s+"))))
                    .orElse(Set.of());
        } catch (IOException e) {
            return Set.of();
        }
    }
}
