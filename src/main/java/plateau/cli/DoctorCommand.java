package plateau.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.ToLongFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import plateau.cuda.Availability;
import plateau.cuda.Blas;
import plateau.cuda.Device;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Stream;
import plateau.cuda.load.DeviceSelector;
import plateau.cuda.load.DeviceUnavailableException;
import plateau.cuda.load.Inventory;
import plateau.cuda.load.NativeFileException;
import plateau.cudnn.Dnn;
import plateau.kernel.Counter;
import plateau.report.Fonts;

/** What this machine can run, what is missing, and what to do about it. */
@Command(
        name = "doctor",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Says for each library what was found where, and what to do if it is missing; then runs a kernel on the"
                    + " device.",
            "Exit code 3 where --device asks for a GPU that is not there, 1 where the kernel fails."
        })
final class DoctorCommand implements Callable<Integer> {
    private static final int LAUNCHES = 10;

    @Spec
    private CommandSpec spec;

    @Mixin
    private OneDeviceMixin device;

    @Override
    public Integer call() {
        device.check();
        PrintWriter print = spec.commandLine().getOut();
        print.printf("%-4s %-17s %s%n", "ok", "Plateau", Version.program());
        print.printf("%-4s %-17s %s, %s%n", "ok", "Java", Runtime.version(), System.getProperty("java.home"));
        report(print, Inventory.take(device.options()));
        report(print, List.of(tool("nsys", "Nsight Systems"), tool("ncu", "Nsight Compute")));
        reportFonts(print);
        try (Device opened = device.open()) {
            print.printf(
                    "%-4s %-17s %s, %,d MiB, driver API %d.%d%n",
                    "ok",
                    "device",
                    opened.description(),
                    opened.totalMemory() >> 20,
                    opened.driverVersion() / 1000,
                    opened.driverVersion() % 1000 / 10);
            report(
                    print,
                    List.of(
                            inUse("cuBLAS", opened.cublas(), Blas::version, "matrix products"),
                            inUse("cuDNN", Dnn.availability(opened), Dnn::version, "convolutions")));
            boolean right = selfCheck(opened);
            print.printf(
                    "%-4s %-17s %s%n",
                    right ? "ok" : "BAD",
                    "self-check",
                    right ? "a kernel ran and counted right" : "a kernel ran and counted wrong; report this");
            return right ? ExitCode.OK : ExitCode.FAILED;
        } catch (DeviceUnavailableException | NativeFileException e) {
            print.printf("%-4s %-17s %s%n", "-", "device", e.getMessage());
            return e instanceof DeviceUnavailableException && device.selector().kind() == DeviceSelector.Kind.CUDA
                    ? ExitCode.SKIPPED
                    : ExitCode.FAILED;
        }
    }

    private static void report(PrintWriter print, List<Inventory.Finding> findings) {
        for (Inventory.Finding finding : findings) {
            print.printf("%-4s %-17s %s%n", finding.found() ? "ok" : "-", finding.name(), finding.detail());
        }
    }

    private static <T> Inventory.Finding inUse(
            String name, Availability<T> found, ToLongFunction<T> version, String otherwise) {
        return new Inventory.Finding(
                name + " in use",
                found.library().isPresent(),
                found.library()
                        .map(library -> "version " + version.applyAsLong(library) + ", " + found.words())
                        .orElse("none (" + found.words() + "): the hand-written kernels do the " + otherwise));
    }

    private static Inventory.Finding tool(String name, String title) {
        Optional<Path> found = NvidiaTool.find(name, System.getenv().getOrDefault("PATH", ""));
        return new Inventory.Finding(
                title,
                found.isPresent(),
                found.map(Path::toString).orElse("not installed; for profiles without it: plateau profile none"));
    }

    private static void reportFonts(PrintWriter print) {
        try {
            Fonts.require();
            print.printf("%-4s %-17s %s%n", "ok", "Fonts", "figures can be drawn");
        } catch (IOException e) {
            print.printf("%-4s %-17s %s%n", "-", "Fonts", e.getMessage());
        }
    }

    private static boolean selfCheck(Device device) {
        try (DeviceBuffer step = device.upload(0);
                Stream stream = device.createStream()) {
            Counter counter = new Counter(device);
            for (int i = 0; i < LAUNCHES; i++) {
                counter.advance(step).enqueue(stream);
            }
            stream.synchronize();
            return step.toInts()[0] == LAUNCHES;
        }
    }
}
