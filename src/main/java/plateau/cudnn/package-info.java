/**
 * Convolutions by cuDNN. {@link plateau.cudnn.Dnn} is all there is to use;
 * {@code plateau.cudnn.bindings} is what jextract makes of {@code native/dnn/cudnn_subset.h}
 * ({@code tools/jextract-cudnn}): generated, so neither edited, formatted nor documented, and
 * called from nowhere else.
 */
package plateau.cudnn;
