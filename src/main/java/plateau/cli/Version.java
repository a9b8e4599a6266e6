package plateau.cli;

import java.util.Optional;
import picocli.CommandLine.IVersionProvider;

/** The program's version and what it runs on. */
final class Version implements IVersionProvider {

    static String program() {
        return Optional.ofNullable(Version.class.getPackage().getImplementationVersion())
                .orElse("development");
    }

    @Override
    public String[] getVersion() {
        return new String[] {"plateau " + program(), "Java " + Runtime.version()};
    }
}
