package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The catalogue as a command, and the README's table, which it makes. */
class KernelsListTest {
    @Test
    void theTableOfTheReadmeIsTheCatalogues() throws IOException {
        Finished list = Finished.here("kernels", "list", "--markdown");
        list.assertOk();
        List<String> readme = Files.readAllLines(Path.of(System.getProperty("plateau.basedir"), "README.md"));
        int first = readme.indexOf("<!-- plateau kernels list --markdown -->");
        int last = readme.indexOf("<!-- end of the list -->");
        assertEquals(list.out(), readme.subList(first + 1, last));
    }

    @Test
    void aKernelThatIsNamedIsToldWhole() {
        Finished list = Finished.here("kernels", "list", "sgd");
        list.assertOk();
        assertTrue(list.out().getFirst().startsWith("sgd, kernels/optimizer.cu:"), list.out()::toString);
        assertTrue(list.out().contains("    const float*           gradient"), list.out()::toString);
        Finished.here("kernels", "list", "sdg").assertError(ExitCode.USAGE, "'sdg'");
    }
}
