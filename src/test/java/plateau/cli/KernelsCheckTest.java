package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import plateau.check.KernelCheck;

/** The check of kernels as a command. */
class KernelsCheckTest {
    @TempDir
    Path folder;

    @Test
    void everyKernelIsALineAndRight() {
        Finished check = Finished.here("kernels", "check", "--device", "cpu", "--cases", "2", "--seed", "5");
        check.assertOk();
        assertEquals("seed: 5", check.out().get(1));
        assertEquals(
                KernelCheck.kernels().size(),
                check.out().stream()
                        .filter(line -> line.matches("\\w+ +\\d+ +(exact|0\\.\\d{3})  ok"))
                        .count(),
                check.out()::toString);
        assertTrue(check.out().getLast().matches("\\d+ kernels, \\d+ cases, \\d+\\.\\d s"), check.out()::toString);
    }

    @Test
    void thoseThatAreNamedAreChecked() {
        Finished check = Finished.here("kernels", "check", "sgd", "hinge_forward", "--device", "cpu", "--cases", "3");
        check.assertOk();
        assertEquals(
                List.of("hinge_forward", "sgd"),
                check.out().stream()
                        .filter(line -> line.endsWith("ok"))
                        .map(line -> line.split(" ")[0])
                        .toList());
        Finished.here("kernels", "check", "sdg", "--device", "cpu").assertError(ExitCode.USAGE, "'sdg'");
        Finished.here("kernels").assertError(ExitCode.USAGE, "kernels what? check");
    }

    /** The driver refuses the second launch. */
    @Test
    void whatFailsIsNamed() throws Exception {
        Process process = Finished.start(
                folder,
                List.of(),
                Map.of("PLATEAU_FAULT", "cuLaunchKernel:2:1"),
                "kernels",
                "check",
                "sgd",
                "accumulate",
                "--seed",
                "9",
                "--device",
                "cpu");
        Finished check = Finished.await(folder, process);
        check.assertError(ExitCode.FAILED, "1 of 2 kernels are wrong: sgd", "--seed 9");
        assertTrue(
                check.out().stream().anyMatch(line -> line.matches("sgd .*BAD: .*CUDA_ERROR_INVALID_VALUE.*")),
                check.out()::toString);
        assertTrue(check.out().stream().anyMatch(line -> line.matches("accumulate .*ok")), check.out()::toString);
    }
}
