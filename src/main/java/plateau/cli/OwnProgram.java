package plateau.cli;

import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;

/**
 * How this program is started again, in a process of its own. Commands that start it get this from
 * picocli's factory, as they get their devices.
 */
@Command // without which picocli takes it for no mixin
class OwnProgram {
    /** Java, and what it runs; arguments follow. */
    List<String> command() {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        String path = System.getProperty("java.class.path");
        return path.endsWith(".jar") && !path.contains(":")
                ? List.of(java, "-jar", Path.of(path).toAbsolutePath().toString())
                : List.of(java, "--enable-native-access=ALL-UNNAMED", "-cp", path, Main.class.getName());
    }
}
