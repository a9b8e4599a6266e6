package plateau.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import plateau.cuda.Device;
import plateau.cuda.ProfilerWindow;
import plateau.cuda.load.DeviceOptions;
import plateau.cuda.load.DeviceSelector;
import plateau.cuda.load.DeviceUnavailableException;
import plateau.cuda.load.NvtxLibrary;

/** This program in a process of its own, under one of NVIDIA's profilers. */
final class ProfiledProgram {
    private final CommandSpec spec;
    private final ProfileMixin profile;
    private final OwnProgram program;
    private Path tool;

    ProfiledProgram(CommandSpec spec, ProfileMixin profile, OwnProgram program) {
        this.spec = spec;
        this.profile = profile;
        this.program = program;
    }

    /** Whether the tool and the device are there; what is missing, and what to do, is told. */
    boolean isPossible(String name, String title, ProfileMixin.Target target) {
        List<String> own = program.command(); // before anything is looked for
        Optional<Path> found = NvidiaTool.find(name, System.getenv().getOrDefault("PATH", ""));
        if (found.isEmpty()) {
            refuse(("%s was not found on the PATH, in /usr/local/cuda or in /opt/nvidia: install NVIDIA %s; without"
                            + " it, on every device: plateau profile none -- %s")
                    .formatted(name, title, String.join(" ", target.words())));
            return false;
        }
        tool = found.get();
        try (Device _ = Device.open(DeviceOptions.of(device(target)))) {
            return !own.isEmpty();
        } catch (DeviceUnavailableException e) {
            refuse("%s; without a GPU: plateau profile none -- %s"
                    .formatted(e.getMessage(), String.join(" ", target.words())));
            return false;
        }
    }

    private static DeviceSelector device(ProfileMixin.Target target) {
        return DeviceSelector.parse(target.text("--device").orElse("cuda").split(",")[0]);
    }

    private void refuse(String why) {
        spec.commandLine().getErr().println("plateau: nothing was profiled: " + why);
    }

    /** The tool, once it is known to be there. */
    Path tool() {
        return tool;
    }

    /** The command, on a GPU where no device is named, with its results in the folder. */
    List<String> command(ProfileMixin.Target target, Path folder) {
        List<String> command = new ArrayList<>(program.command());
        command.addAll(target.with("--out", folder.resolve(ProfileMixin.RESULTS).toString())
                .with("--device", "cuda")
                .words());
        return command;
    }

    /** Says which steps are looked at, and which library of names there is. */
    Map<String, String> environment(ProfileMixin.Target target) {
        Map<String, String> environment = new HashMap<>();
        if (target.trains()) {
            environment.put(ProfilerWindow.STEPS, ProfilerWindow.text(profile.skipped(), profile.count()));
        }
        if (System.getenv(NvtxLibrary.LIBNVTX) == null) {
            NvtxLibrary.file().ifPresent(file -> environment.put(NvtxLibrary.LIBNVTX, file.toString()));
        }
        return environment;
    }

    /** @throws CommandFailedException if the exit code is not 0; what it said has been printed */
    void requireOk(String name, int code) {
        if (code != ExitCode.OK) {
            throw new CommandFailedException(
                    "%s ended with exit code %d; above stands what it said".formatted(name, code));
        }
    }

    /** Writes lines to a file, and prints them. */
    static void write(Path file, Callable<List<String>> lines, PrintWriter print) throws IOException {
        try {
            List<String> all = lines.call();
            all.forEach(print::println);
            Files.write(file, all);
        } catch (IOException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException(e);
        }
    }
}
