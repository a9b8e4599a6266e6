package plateau.autograd;

import java.util.ArrayList;
import java.util.List;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;
import plateau.kernel.Conv2d;

/**
 * What {@link Convolution2dPool} computes, by cuDNN, one operation after the other: y = maxima(z),
 * z = conv(x, w) + b. It knows no background: every pixel of x keeps its gradient, and the
 * parameters below get the same ones.
 *
 * @param cudnn convolution and pooling
 * @param x (batch, rows · columns · in), not rectified
 * @param w out · window · window · in elements
 * @param b (out)
 * @param y (batch, rows/2 · columns/2 · out)
 * @param z (batch, rows · columns · out), from which the backward tells where the maxima stood
 * @param dz its gradient
 * @param workspace scratch memory of the convolution
 */
record CudnnConvolution2dPool(Conv2d.ByCudnn cudnn, Tensor x, Tensor w, Tensor b, Tensor y, DeviceBuffer z, DeviceBuffer dz, DeviceBuffer workspace) implements Operation {

    static CudnnConvolution2dPool of(Tape tape, Conv2d.ByCudnn cudnn, Conv2d.Geometry shape, Tensor x, Tensor w, Tensor b, Tensor y) {
        long unpooled = 4L * shape.batch() * shape.outputs() * Float.BYTES;
        return new CudnnConvolution2dPool(cudnn, x, w, b, y, tape.scratch(unpooled), tape.scratch(unpooled), tape.scratch(Math.max(1, cudnn.convolution().workspaceBytes())));
    }

    @Override
    public List<Tensor> inputs() {
        return List.of(x, w, b);
    }

    @Override
    public List<Tensor> outputs() {
        return List.of(y);
    }

    @Override
    public Work forward() {
        return Work.sequence(
                "convolution", List.of(cudnn.convolution().forward(x.values(), w.values(), z, workspace), cudnn.convolution().addBias(b.values(), z), cudnn.pooling().forward(z, y.values())));
    }

    /** dz is dy where the maxima stood, 0 elsewhere; then as for any convolution. */
    @Override
    public Work backward(Gradients gradients) {
        List<Work> works = new ArrayList<>();
        works.add(cudnn.pooling().backward(y.values(), gradients.of(y), z, dz));
        if (gradients.wanted(x)) {
            works.add(cudnn.convolution().backwardData(w.values(), dz, gradients.into(x), workspace));
        }
        if (gradients.wanted(w)) {
            works.add(cudnn.convolution().backwardFilter(x.values(), dz, gradients.into(w), workspace));
        }
        if (gradients.wanted(b)) {
            works.add(cudnn.convolution().backwardBias(dz, gradients.into(b)));
        }
        return Work.sequence("convolution backward", works);
    }
}
