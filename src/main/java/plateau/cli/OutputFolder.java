package plateau.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The folder a command writes to, made and tried before any work is done. */
final class OutputFolder {
    private OutputFolder() {}

    /**
     * Makes the folder where it is not there.
     *
     * @throws CommandFailedException if it cannot be made or written to
     */
    static Path prepare(Path folder) {
        try {
            Files.createDirectories(folder);
            Files.delete(Files.createTempFile(folder, ".plateau", ".probe"));
            return folder;
        } catch (IOException e) {
            throw new CommandFailedException("cannot write to --out " + folder + " (" + e.getClass().getSimpleName() + "); name a folder that can be written");
        }
    }
}
