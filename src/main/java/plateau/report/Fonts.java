package plateau.report;

import java.awt.Font;
import java.awt.GraphicsEnvironment;
import java.io.IOException;

/** Text in figures needs fonts, which a minimal machine may lack. */
public final class Fonts {
    private Fonts() {}

    /**
     * Looks whether there are fonts to draw with.
     *
     * @throws IOException with one line that says what to install, if there are none
     */
    public static void require() throws IOException {
        try {
            System.setProperty("java.awt.headless", "true");
            if (GraphicsEnvironment.getLocalGraphicsEnvironment().getAvailableFontFamilyNames().length > 0
                    && new Font(Font.SANS_SERIF, Font.PLAIN, 12).canDisplay('0')) {
                return;
            }
        } catch (RuntimeException | Error e) { // the JDK throws one or the other where it finds none
            throw new IOException(advice(), e);
        }
        throw new IOException(advice());
    }

    private static String advice() {
        return "there are no fonts to draw figures with; install fontconfig and a font (Debian and Ubuntu: apt install"
                + " fontconfig fonts-dejavu-core)";
    }
}
