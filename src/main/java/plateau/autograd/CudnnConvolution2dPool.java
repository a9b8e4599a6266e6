package plateau.autograd;

import java.util.List;
import plateau.cuda.DeviceBuffer;
import plateau.cuda.Work;
import plateau.kernel.Conv2d;

/**
 * What {@link Convolution2dPool} computes, by cuDNN: y = maxima(z), z = conv(x, w) + b. It knows no
 * background: every pixel of x keeps its gradient, and the parameters below get the same ones.
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
record CudnnConvolution2dPool(
        Conv2d.ByCudnn cudnn,
        Tensor x,
        Tensor w,
        Tensor b,
        Tensor y,
        DeviceBuffer z,
        DeviceBuffer dz,
        DeviceBuffer workspace)
        implements Operation {

    static CudnnConvolution2dPool of(Tape tape, Conv2d.ByCudnn cudnn, Tensor x, Tensor w, Tensor b, Tensor y) {
        return new CudnnConvolution2dPool(
                cudnn,
                x,
                w,
                b,
                y,
                tape.scratch(cudnn.unpooledBytes()),
                tape.scratch(cudnn.unpooledBytes()),
                tape.scratch(cudnn.workspaceBytes()));
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
        return cudnn.forward(x.values(), w.values(), b.values(), z, y.values(), workspace);
    }

    @Override
    public Work backward(Gradients gradients) {
        return cudnn.backward(
                x.values(),
                w.values(),
                z,
                y.values(),
                gradients.of(y),
                dz,
                wanted(x, gradients),
                wanted(w, gradients),
                wanted(b, gradients),
                workspace);
    }

    private static DeviceBuffer wanted(Tensor tensor, Gradients gradients) {
        return gradients.wanted(tensor) ? gradients.into(tensor) : null;
    }
}
