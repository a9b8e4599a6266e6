package plateau.results;

import java.util.Arrays;
import java.util.Locale;

/** Numbers as a reader wants them. */
public final class Numbers {
    private Numbers() {}

    /** Mean and standard deviation, the latter in two digits. */
    public static String spread(double[] values) {
        if (values.length == 0) {
            return "-";
        }
        double mean = Arrays.stream(values).average().orElseThrow();
        double deviation = Math.sqrt(Arrays.stream(values)
                        .map(value -> (value - mean) * (value - mean))
                        .sum()
                / Math.max(1, values.length - 1));
        if (deviation < 1e-5 || deviation >= 1e5) {
            return rounded(mean) + (values.length == 1 ? "" : " ± " + rounded(deviation));
        }
        int decimals = Math.max(0, 1 - (int) Math.floor(Math.log10(deviation)));
        return String.format(Locale.ROOT, "%,." + decimals + "f ± %,." + decimals + "f", mean, deviation)
                .replace('-', '−');
    }

    /** A number in three digits. */
    public static String rounded(double value) {
        double size = Math.abs(value);
        if (value != 0 && (size < 1e-3 || size >= 1e7)) {
            // a minus sign, at which no line breaks
            return String.format(Locale.ROOT, "%.1e", value)
                    .replaceFirst("e\\+?(-?)0?", "e$1")
                    .replace('-', '−');
        }
        int decimals = value == 0 ? 0 : Math.clamp(2 - (int) Math.floor(Math.log10(size)), 0, 5);
        String text = String.format(Locale.ROOT, "%,." + decimals + "f", value);
        return (text.contains(".") ? text.replaceFirst("\\.?0+$", "") : text).replace('-', '−');
    }
}
