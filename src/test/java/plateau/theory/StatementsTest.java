package plateau.theory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import plateau.autograd.Kernels;
import plateau.cuda.Device;
import plateau.cuda.LiveObjects;
import plateau.reference.TestDevice;
import plateau.results.FileException;
import plateau.results.ResultFolder;
import plateau.results.Verdict;

/**
 * Statements, computed on the device as the command computes them. What is a theorem comes out so
 * for every seed; what the paper has wrong, likewise.
 */
class StatementsTest {
    private static final Scale QUICK = new Scale(false, 1);

    @TempDir
    Path folder;

    private static Finding measure(Statement statement) {
        try (Device device = TestDevice.open()) {
            Finding finding = statement.measure(Kernels.of(device), QUICK);
            assertEquals(LiveObjects.NONE, device.live(), "something stays on the device");
            assertFalse(finding.table().rows().isEmpty());
            assertFalse(finding.drawings().isEmpty());
            return finding;
        }
    }

    private static Verdict of(Finding finding, String sentence) {
        List<Check> checks = finding.checks().stream()
                .filter(check -> check.sentence().startsWith(sentence))
                .toList();
        assertEquals(1, checks.size(), sentence);
        return checks.getFirst().verdict();
    }

    @Test
    void curvesAndTheirConditionNumbers() {
        Finding finding = measure(new Theorem4());
        assertEquals(Verdict.HOLDS, of(finding, "W⁻¹ = U"));
        assertEquals(Verdict.HOLDS, of(finding, "E Û_t ="));
        assertEquals(Verdict.DOES_NOT_HOLD, of(finding, "If ηλS₁² ≥ 1"));
        assertEquals(Verdict.HOLDS, of(finding, "As long as"));
        assertEquals(Verdict.HOLDS, of(finding, "The condition number of WᵀW"));
        List<Object> largest = finding.table().rows().stream()
                .filter(row -> row.get(0).equals("WtW") && row.get(1).equals(10_000))
                .findFirst()
                .orElseThrow();
        double low = ((Number) largest.get(3)).doubleValue();
        double high = ((Number) largest.get(4)).doubleValue();
        // 16 n⁴ / 12.3624, 12.3624 = 1.87510⁴ the beam's: the limit of large n.
        assertEquals(16e16 / 12.3624, low, 1e-3 * low);
        assertTrue(low <= high && high - low < 1e-4 * low, low + " to " + high);
    }

    @Test
    void productsOfSigns() {
        Finding finding = measure(new Theorem3());
        assertEquals(Verdict.HOLDS, of(finding, "Sig_u = "));
        // k = 1: sign's part of degree 1 is √(2/π) u·x, and there are d harmonics of degree 1.
        List<Object> row = finding.table().rows().stream()
                .filter(each -> each.get(0).equals("worst g")
                        && each.get(1).equals(1)
                        && each.get(2).equals(784))
                .findFirst()
                .orElseThrow();
        assertEquals(2 / Math.PI / 784, ((Number) row.get(3)).doubleValue(), 2e-3 * 2 / Math.PI / 784);
    }

    @Test
    void parities() {
        Finding finding = measure(new Theorem1());
        for (String sentence : List.of(
                "Var(H, F, w) ≤ G(w)²/|H| for all parities, at",
                "and along training",
                "The same for smaller families",
                "A sample of the inputs",
                "Var(H, F, w) ≤ G(w)²/|H| for all parities of more bits")) {
            assertEquals(Verdict.HOLDS, of(finding, sentence), sentence);
        }
        // The squared loss's signal is −1 everywhere: an equality, but for one input of 2^d.
        List<List<Object>> squared = finding.table().rows().stream()
                .filter(row -> row.get(1).equals("squared"))
                .toList();
        for (List<Object> row : squared) {
            double missing = 1 - ((Number) row.get(6)).doubleValue();
            int d = (Integer) row.get(0);
            assertTrue(missing > -1e-4 && missing < 1e-4 + 8 * Math.scalb(1, -d), row::toString);
        }
        assertEquals(100, squared.getLast().getFirst());
    }

    @Test
    void landscapes() {
        Finding finding = measure(new Figure7());
        assertEquals(Verdict.HOLDS, of(finding, "F(w) = E(cos"));
        assertEquals(Verdict.HOLDS, of(finding, "The surface has no local minima"));
        assertEquals(Verdict.DOES_NOT_HOLD, of(finding, "and no saddle points"));
        // On the line between the saddles e^(−3 s² / 2) = e^(−4), where s = |w|.
        String saddle = "(%.3f, %.3f)".formatted(Math.sqrt(4 / 3.0), -Math.sqrt(4 / 3.0));
        assertTrue(finding.notes().getFirst().contains(saddle), finding.notes().getFirst());
        assertEquals(4, finding.drawings().getFirst().figure().panels().size());
    }

    @Test
    void whatAFolderHoldsIsReadBack() throws IOException {
        Finding finding = measure(new Theorem2());
        assertEquals(Verdict.HOLDS, of(finding, "Var(H, F, w) as drawn"));
        Statement statement = new Theorem2();
        Findings findings = Findings.none().with(statement, new Findings.Entry(QUICK, "a device", 1.5, finding));
        try (ResultFolder claimed = ResultFolder.claim(folder, ResultFolder.Purpose.ADD, "a test")) {
            findings.write(claimed, statement);
        }
        Findings.Entry read = Findings.read(folder).of(statement).orElseThrow();
        assertEquals(QUICK, read.scale());
        assertEquals(finding.checks(), read.finding().checks());
        assertEquals(finding.notes(), read.finding().notes());
        assertEquals(finding.drawings(), read.finding().drawings(), "curves, to the bit");
        List<String> lines = Files.readAllLines(folder.resolve("theorem-2.csv"));
        assertEquals("d,r,length_of_w,variance_over_g_squared,bound", lines.getFirst());
        assertEquals(finding.table().rows().size() + 1, lines.size());
        assertTrue(Findings.read(folder.resolve("nothing")).statements().isEmpty());

        Files.writeString(folder.resolve("theory.json"), "{\"statements\": 3}");
        assertTrue(assertThrows(FileException.class, () -> Findings.read(folder))
                .getMessage()
                .contains("damaged"));
    }

    @Test
    void namesAreFilesNamesAndDiffer() {
        Set<String> names = Statement.ALL.stream().map(Statement::name).collect(Collectors.toSet());
        assertEquals(Statement.ALL.size(), new HashSet<>(names).size());
        names.forEach(name -> assertTrue(name.matches("[a-z0-9-]+"), name));
    }
}
