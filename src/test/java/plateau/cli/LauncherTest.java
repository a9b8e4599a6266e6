package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The launcher, with a Maven and with JDKs that only say that they were called. */
class LauncherTest {
    private static final Path TOOLS = Path.of(System.getProperty("plateau.basedir"), "tools");

    @TempDir
    Path root;

    private record Ended(int code, String out, String err) {}

    @BeforeEach
    void aProject() throws Exception {
        for (String folder : List.of("tools", "src/main", "native", "kernels", "bin", "tmp")) {
            Files.createDirectories(root.resolve(folder));
        }
        Files.createFile(root.resolve("pom.xml"));
        for (String tool : List.of("plateau", "find-jdk")) {
            Files.copy(TOOLS.resolve(tool), root.resolve("tools").resolve(tool));
        }
        jdk("jdk-25", 25);
        script(
                "bin/mvn",
                "echo built >> " + root.resolve("builds"),
                "mkdir -p " + root.resolve("target"),
                "echo thin > " + root.resolve("target/plateau.jar"),
                "[ ! -e " + root.resolve("break") + " ] || exit 1",
                "sleep 0.5",
                "echo whole > " + root.resolve("target/plateau.jar"),
                "touch " + root.resolve("target/complete"));
    }

    private void jdk(String name, int version) throws IOException {
        Files.createDirectories(root.resolve(name + "/bin"));
        script(name + "/bin/java", "echo java $2 $3, $(cat $2)");
        script(name + "/bin/javac", "echo javac " + version + ".0.1");
    }

    private void script(String name, String... lines) throws IOException {
        Path file = root.resolve(name);
        Files.writeString(file, "#!/bin/sh\n" + String.join("\n", lines) + "\n");
        assertTrue(file.toFile().setExecutable(true));
    }

    private Process start(String tool, String jdk, String... arguments) throws IOException {
        List<String> command =
                new ArrayList<>(List.of(root.resolve("tools/" + tool).toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        Map<String, String> environment = builder.environment();
        environment.put("PATH", root.resolve("bin") + ":/usr/bin:/bin");
        environment.put("HOME", root.toString());
        environment.put("TMPDIR", root.resolve("tmp").toString());
        environment.put("PLATEAU_JAVA_HOME", root.resolve(jdk).toString());
        return builder.start();
    }

    private static Ended end(Process process) throws Exception {
        assertTrue(process.waitFor(1, TimeUnit.MINUTES), "the launcher hangs");
        return new Ended(
                process.exitValue(),
                new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8),
                new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8));
    }

    private long builds() throws IOException {
        return Files.readAllLines(root.resolve("builds")).size();
    }

    private void assertRuns(Ended ended) {
        assertEquals(0, ended.code, ended.err);
        assertEquals("java " + root.resolve("target/plateau.jar") + " --version, whole\n", ended.out);
    }

    @Test
    void itBuildsWhatIsNotThereAndWhatIsOlderThanASource() throws Exception {
        assertRuns(end(start("plateau", "jdk-25", "--version")));
        assertRuns(end(start("plateau", "jdk-25", "--version")));
        assertEquals(1, builds());
        Thread.sleep(20); // so that the source is newer
        Files.createFile(root.resolve("kernels/new.cu"));
        assertRuns(end(start("plateau", "jdk-25", "--version")));
        assertEquals(2, builds());
        try (var left = Files.list(root.resolve("tmp"))) {
            assertEquals(List.of(), left.toList());
        }
    }

    @Test
    void aBuildThatWasBrokenOffIsMadeAgain() throws Exception {
        Files.createFile(root.resolve("break"));
        Ended broken = end(start("plateau", "jdk-25", "--version"));
        assertEquals(1, broken.code);
        assertTrue(broken.err.endsWith("plateau: the build failed\n"), broken.err);
        Files.delete(root.resolve("break"));
        assertRuns(end(start("plateau", "jdk-25", "--version")));
        assertEquals(2, builds());
    }

    @Test
    void twoAtOnceBuildOnce() throws Exception {
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            processes.add(start("plateau", "jdk-25", "--version"));
        }
        for (Process process : processes) {
            assertRuns(end(process));
        }
        assertEquals(1, builds());
    }

    @Test
    void aNewerJdkWillDoAndAnOlderOneNot() throws Exception {
        jdk("jdk-27", 27);
        jdk("jdk-21", 21);
        assertEquals(root.resolve("jdk-27") + "\n", end(start("find-jdk", "jdk-27")).out);
        assertRuns(end(start("plateau", "jdk-27", "--version")));
        Ended old = end(start("find-jdk", "jdk-21"));
        assertTrue(!old.out.contains("jdk-21"), old.out);
    }
}
