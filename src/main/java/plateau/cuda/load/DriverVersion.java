package plateau.cuda.load;

import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The oldest NVIDIA driver for Linux that takes what this build has for GPUs, by the first number
 * of its version.
 */
final class DriverVersion {
    /**
     * The driver's functions that this program calls; the latest, cuGraphInstantiateWithFlags, came
     * with CUDA 11.4.
     */
    static final int OF_FUNCTIONS = 470;

    /**
     * A version of PTX, the CUDA version that brought it, and that one's driver: NVIDIA's "PTX
     * ISA", table "PTX Release History", and "CUDA Toolkit Release Notes", table "CUDA Toolkit and
     * Corresponding Driver Versions".
     */
    private record Release(String ptx, String cuda, int driver) {}

    private static final List<Release> RELEASES = List.of(
            new Release("6.3", "10.0", 410),
            new Release("6.4", "10.1", 418),
            new Release("6.5", "10.2", 440),
            new Release("7.0", "11.0", 450),
            new Release("7.1", "11.1", 455),
            new Release("7.2", "11.2", 460),
            new Release("7.3", "11.3", 465),
            new Release("7.4", "11.4", 470),
            new Release("7.5", "11.5", 495),
            new Release("7.6", "11.6", 510),
            new Release("7.7", "11.7", 515),
            new Release("7.8", "11.8", 520),
            new Release("8.0", "12.0", 525),
            new Release("8.1", "12.1", 530),
            new Release("8.2", "12.2", 535),
            new Release("8.3", "12.3", 545),
            new Release("8.4", "12.4", 550),
            new Release("8.5", "12.5", 555),
            new Release("8.6", "12.7", 565),
            new Release("8.7", "12.8", 570),
            new Release("8.8", "12.9", 575),
            new Release("9.0", "13.0", 580));

    private static final Pattern PTX_VERSION = Pattern.compile("(?m)^\\.version (\\d+\\.\\d+)$");

    private DriverVersion() {}

    /** For a module as PTX, by the version that it says it is written in. */
    static Optional<Integer> ofPtx(byte[] module) {
        Matcher version = PTX_VERSION.matcher(new String(module, StandardCharsets.US_ASCII));
        return version.find()
                ? RELEASES.stream()
                        .filter(release -> release.ptx.equals(version.group(1)))
                        .findFirst()
                        .map(release -> Math.max(OF_FUNCTIONS, release.driver))
                : Optional.empty();
    }

    /**
     * For machine code by nvcc of that version: drivers take what all toolkits of their first
     * number have made (NVIDIA's "CUDA Compatibility", "Minor Version Compatibility").
     */
    static Optional<Integer> ofToolkit(String version) {
        String family = version.substring(0, version.indexOf('.') + 1);
        return RELEASES.stream()
                .filter(release -> release.cuda.startsWith(family))
                .map(release -> Math.max(OF_FUNCTIONS, release.driver))
                .min(Comparator.naturalOrder());
    }
}
