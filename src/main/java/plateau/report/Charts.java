package plateau.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import plateau.figure.Figure;
import plateau.figure.Panel;

/** Figures as data for the page that draws them in a browser. */
public final class Charts {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** A float's, so that places that differ stay apart. */
    private static final MathContext HORIZONTAL = new MathContext(8);

    /** As many digits as a screen can show. */
    private static final MathContext VERTICAL = new MathContext(5);

    private Charts() {}

    /** A figure's panels; what is not a number becomes null. */
    public static JsonNode of(Figure figure) {
        ObjectNode node = JSON.createObjectNode().put("columns", figure.columns());
        ArrayNode panels = node.putArray("panels");
        figure.panels().forEach(panel -> panels.add(of(panel.thinned())));
        return node;
    }

    private static ObjectNode of(Panel panel) {
        ObjectNode node = JSON.createObjectNode().put("title", panel.title());
        node.set("x", of(panel.horizontal()));
        node.set("y", of(panel.vertical()));
        if (panel.surface() != null) {
            ObjectNode surface = node.putObject("surface")
                    .put("columns", panel.surface().columns())
                    .put("name", panel.surface().name());
            ArrayNode heights = surface.putArray("heights");
            for (float height : panel.surface().heights()) {
                heights.add(rounded(height, VERTICAL));
            }
        }
        ArrayNode curves = node.putArray("curves");
        for (int i = 0; i < panel.curves().size(); i++) {
            Panel.Curve curve = panel.curves().get(i);
            ObjectNode drawn = curves.addObject()
                    .put("name", curve.name())
                    .put("rgb", PanelChart.colour(panel, i).getRGB() & 0xFFFFFF)
                    .put("dashed", curve.look().dashed());
            drawn.set("x", of(curve.x(), HORIZONTAL));
            drawn.set("y", of(curve.y(), VERTICAL));
            drawn.set("low", of(curve.low(), VERTICAL));
            drawn.set("high", of(curve.high(), VERTICAL));
        }
        return node;
    }

    private static ObjectNode of(Panel.Axis axis) {
        return JSON.createObjectNode()
                .put("name", axis.name())
                .put("logarithmic", axis.logarithmic())
                .put("lowest", rounded(axis.lowest(), VERTICAL))
                .put("highest", rounded(axis.highest(), VERTICAL));
    }

    private static ArrayNode of(List<Double> values, MathContext digits) {
        ArrayNode node = JSON.createArrayNode();
        values.forEach(value -> node.add(rounded(value, digits)));
        return node;
    }

    private static BigDecimal rounded(double value, MathContext digits) {
        return Double.isFinite(value) ? new BigDecimal(value).round(digits).stripTrailingZeros() : null;
    }
}
