package plateau.report.paper;

import plateau.report.Panel;

/** The two ways to train that the paper compares, in its colours. */
enum Approach {
    E2E("e2e", "end-to-end", 0xD40000),
    DEC("dec", "decomposition", 0x0000D4);

    private final String key;
    private final String title;
    private final Panel.Look look;

    Approach(String key, String title, int rgb) {
        this.key = key;
        this.title = title;
        this.look = new Panel.Look(rgb, false);
    }

    /** As metrics.csv has it. */
    String key() {
        return key;
    }

    String title() {
        return title;
    }

    Panel.Look look() {
        return look;
    }
}
