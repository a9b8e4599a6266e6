package plateau.cli;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Command lines to begin with, by command; a kind of experiment that another program brings has
 * none.
 */
final class Examples {
    private static final Map<String, List<String>> BY_COMMAND = Map.of(
            "parity",
                    List.of(
                            "  plateau parity",
                            "      figure 1, into ./parity",
                            "  plateau parity --d 8 --subset-size 4 --steps 5000 --out p8",
                            "      a problem that is learnt in about 2,000 steps"),
            "tuple",
                    List.of(
                            "  plateau tuple",
                            "      figure 3, k = 1, 2 and 3 in both ways, into ./tuple",
                            "  plateau tuple --k 3 --mode dec --raster program --out t3",
                            "      the way that works, on the authors' own images"),
            "snr",
                    List.of(
                            "  plateau snr",
                            "      figure 4, into ./snr",
                            "  plateau snr --k 2,3 --inits 5 --samples 2000000 --out s",
                            "      five networks each, and four times the paper's samples, which show smaller signals"),
            "stocks",
                    List.of(
                            "  plateau stocks",
                            "      figure 8, into ./stocks",
                            "  plateau stocks --k 100 --mode e2e --log-every 10 --out s100",
                            "      one curve, in more detail"),
            "pwl",
                    List.of(
                            "  plateau pwl",
                            "      figure 5, all four ways, into ./pwl",
                            "  plateau pwl conditioned conv --curves program --out filters",
                            "      the same filter with and without conditioning, on the authors' own curves"),
            "step",
                    List.of(
                            "  plateau step",
                            "      figure 6, all four ways, into ./step",
                            "  plateau step forward-only --seed 3 --out f3",
                            "      the way that works, on another step function"));

    private Examples() {}

    /** Lines for the end of a command's help; none where there are none. */
    static String[] footer(String command) {
        List<String> lines = BY_COMMAND.getOrDefault(command, List.of());
        return lines.isEmpty()
                ? new String[0]
                : Stream.concat(Stream.of("", "Examples:"), lines.stream()).toArray(String[]::new);
    }
}
