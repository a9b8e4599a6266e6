package plateau.cuda.load;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/** What this build has for GPUs, and what it needs of a driver. */
final class GpuImages {
    private GpuImages() {}

    /** What nvcc made: its version, and for which architectures; as native/Build.java tells it. */
    private record Toolkit(String version, List<String> architectures) {
        static Optional<Toolkit> read() {
            return NativeIndex.OWN.find("fatbin/toolkit").map(file -> {
                List<String> words = List.of(
                        new String(file.read(), StandardCharsets.UTF_8).strip().split(" "));
                return new Toolkit(words.getFirst(), words.subList(1, words.size()));
            });
        }
    }

    /** The oldest driver that serves: it takes the PTX, if not the machine code. */
    static String driver() {
        return orLater(NativeIndex.OWN.files().entrySet().stream()
                .filter(entry -> entry.getKey().endsWith(".ptx"))
                .findFirst()
                .flatMap(entry -> DriverVersion.ofPtx(entry.getValue().read())));
    }

    static Inventory.Finding machineCode() {
        return new Inventory.Finding(
                "GPU machine code",
                Toolkit.read().isPresent(),
                Toolkit.read()
                        .map(toolkit -> "%d fatbins (sm_%s), made by nvcc %s: for driver %s"
                                .formatted(
                                        NativeIndex.OWN.count(".fatbin"),
                                        String.join(", ", toolkit.architectures),
                                        toolkit.version,
                                        orLater(DriverVersion.ofToolkit(toolkit.version))))
                        .orElse("built without nvcc: a GPU's driver compiles the PTX at the first start; build with"
                                + " the CUDA toolkit on the PATH to avoid that"));
    }

    static Inventory.Finding ptx() {
        long modules = NativeIndex.OWN.count(".ptx");
        return new Inventory.Finding(
                "GPU PTX", modules > 0, modules + " modules for sm_75 and later: for driver " + driver());
    }

    private static String orLater(Optional<Integer> driver) {
        return driver.map(version -> version + " or later").orElse("of the same CUDA version or later");
    }
}
