package plateau.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The shell script keeps an option's choices in an array named by the option's label. */
class CompletionTest {
    private static final Pattern CHOICES = Pattern.compile("\\s*local (\\w+)_option_args=.*");

    /**
     * Two enums under one label would overwrite one another: both options then offer the last one's
     * values.
     */
    @Test
    void everyOptionOfACommandHasItsOwnChoices() {
        Finished script = Finished.here("completion");
        script.assertOk();
        Set<String> labels = new HashSet<>();
        int seen = 0;
        for (String line : script.out()) {
            if (line.startsWith("function ")) {
                labels.clear();
            }
            Matcher choices = CHOICES.matcher(line);
            if (choices.matches()) {
                seen++;
                assertTrue(labels.add(choices.group(1)), line);
            }
        }
        assertTrue(seen > 0, "there are options with choices");
        assertEquals(
                1,
                script.out().stream()
                        .filter(line -> line.contains("\"auto\" \"cublas\" \"kernels\""))
                        .distinct()
                        .count());
    }
}
