package plateau.experiment;

import java.util.List;
import plateau.autograd.Workspace;
import plateau.cuda.DeviceBuffer;

/**
 * Where metrics wait on the device for the host to read them: row {@code step % slots} holds the
 * step, as a uint32, and one float per name.
 *
 * @param rows (slots, 1 + names) words on the device
 * @param slots how many steps it holds
 * @param names of the metrics
 */
public record Ring(DeviceBuffer rows, int slots, List<String> names) {

    /**
     * @throws IllegalArgumentException if a name has a comma or stands there twice, which a table
     *     could not tell apart
     */
    public Ring {
        names = List.copyOf(names);
        for (String name : names) {
            if (name.isBlank() || name.contains(",")) {
                throw new IllegalArgumentException(
                        "The name of a metric is a word without commas, not '%s'".formatted(name));
            }
        }
        if (names.stream().distinct().count() < names.size()) {
            throw new IllegalArgumentException("Two metrics have one name: " + String.join(", ", names));
        }
    }

    /**
     * Allocates a ring.
     *
     * @param workspace where; whoever closes it releases the ring
     * @param slots how many steps it holds
     * @param names of the metrics, in the order of a row
     */
    public static Ring allocate(Workspace workspace, int slots, List<String> names) {
        return new Ring(workspace.words((long) slots * (1 + names.size())), slots, names);
    }

    /**
     * Reads the metrics of {@code count} steps in a row, one array each, of the only run there is;
     * the stream that writes them has been synchronized.
     *
     * @throws IllegalStateException if the ring does not hold one of them
     */
    public double[][] read(long first, int count) {
        return copy().read(0, first, count);
    }

    /** All that it holds now, of all runs. */
    public Copy copy() {
        return new Copy(this, rows.replicasToInts());
    }

    /**
     * What a ring held.
     *
     * @param words of all replicas, one behind the other
     */
    public record Copy(Ring ring, int[] words) {

        /** As {@link Ring#read(long, int)} for one of the runs. */
        public double[][] read(int replica, long first, int count) {
            int size = ring.slots * (1 + ring.names.size());
            return ring.read(words, replica * size, first, count);
        }
    }

    private double[][] read(int[] words, int offset, long first, int count) {
        double[][] metrics = new double[count][names.size()];
        for (int i = 0; i < count; i++) {
            long step = first + i;
            int row = offset + (int) (step % slots) * (1 + names.size());
            if (Integer.toUnsignedLong(words[row]) != step) {
                throw new IllegalStateException("The metrics of step %d are not there, but those of step %s"
                        .formatted(step, Integer.toUnsignedString(words[row])));
            }
            for (int j = 0; j < names.size(); j++) {
                metrics[i][j] = Float.intBitsToFloat(words[row + 1 + j]);
            }
        }
        return metrics;
    }
}
