package plateau.experiment;

import plateau.figure.Panel;

/** The two ways to train that the paper compares, in its colours. */
public enum Approach {
    /** On the problem's own loss alone. */
    E2E("e2e", "end-to-end", Panel.Look.RED),
    /** With help on the way. */
    DEC("dec", "decomposition", Panel.Look.BLUE);

    private final String key;
    private final String title;
    private final Panel.Look look;

    Approach(String key, String title, Panel.Look look) {
        this.key = key;
        this.title = title;
        this.look = look;
    }

    /** As options and tables have it. */
    public String key() {
        return key;
    }

    /** For a legend. */
    public String title() {
        return title;
    }

    /** How its curves are drawn. */
    public Panel.Look look() {
        return look;
    }
}
