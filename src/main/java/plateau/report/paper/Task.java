package plateau.report.paper;

import java.util.List;

/**
 * A command that a section needs the results of.
 *
 * @param folder where they go, below the report's
 * @param arguments of the program, but for the device, and the folder
 */
public record Task(String folder, List<String> arguments) {

    /** A command as it is typed, with the number of seeds behind it. */
    static Task of(String folder, String command, int seeds) {
        return new Task(folder, List.of((command + " --seeds " + seeds).split(" ")));
    }
}
