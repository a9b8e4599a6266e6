#!/usr/bin/env python3
"""Training steps per second of two of the paper's networks in PyTorch and in JAX on one GPU: what a user of these would write.

  gpu-peers.py torch|jax parity|step-e2e [--d 30] [--replicas R] [--eager] [--device cuda] [--seconds 2]

Data is drawn on the device within the step, all is float32 without TF32. R replicas are independent runs, weights and data of their own,
batched into one program; their steps all count. PyTorch replays a CUDA graph of 50 steps (--eager: launches each operation), JAX
compiles a scan of 200 steps. Exit code 3 where the library is not installed, or finds no GPU.
"""
import argparse
import sys
import time

GRAPH_STEPS = 50
SCAN_STEPS = 200
STEP_INPUTS, STEP_BATCH = 100, 256
PARITY_BATCH = 128
OFFSETS = sorted(set(range(-100, 100, 5)) | {-5, -4, -3, -2, -1, -0.2, 0, 0.1, 0.15, 0.175, 1, 2, 3, 4, 5})


def torch_rate(options):
    import torch

    if options.device == 'cuda' and not torch.cuda.is_available():
        skip('PyTorch finds no GPU')
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.manual_seed(1)
    device, replicas = torch.device(options.device), options.replicas

    def layers(sizes):
        made = []
        for inputs, outputs in zip(sizes, sizes[1:]):
            weights = torch.empty(replicas, inputs, outputs, device=device)
            torch.nn.init.trunc_normal_(weights, std=inputs**-0.5, a=-2 * inputs**-0.5, b=2 * inputs**-0.5)
            made.append((weights.requires_grad_(), torch.zeros(replicas, 1, outputs, device=device, requires_grad=True)))
        return made

    def forward(network, x):
        for i, (weights, bias) in enumerate(network):
            x = torch.baddbmm(bias, x, weights)
            x = x.relu() if i + 1 < len(network) else x
        return x

    if options.network == 'parity':
        d = options.d
        subset = torch.rand(replicas, 1, d, device=device) < 0.5
        one = torch.ones((), device=device)
        network = layers([d, 10 * d, 1])

        def loss():
            x = torch.randint(0, 2, (replicas, PARITY_BATCH, d), device=device).float() * 2 - 1
            y = torch.where(subset, x, one).prod(-1, keepdim=True)
            return (1 - y * forward(network, x)).clamp_min(0).mean((1, 2)).sum()

        optimizer = torch.optim.SGD([p for layer in network for p in layer], lr=0.01, foreach=True)
    else:
        target = torch.randn(replicas, STEP_INPUTS, 1, device=device)
        shift = torch.randn(replicas, 1, 1, device=device)
        levels = torch.tensor(OFFSETS, device=device, dtype=torch.float32)
        network = layers([STEP_INPUTS, 100, 100, 100, 1])

        def loss():
            x = torch.randn(replicas, STEP_BATCH, STEP_INPUTS, device=device) / 100
            level = torch.bucketize(torch.bmm(x, target), levels, right=True) - 1
            return ((forward(network, x) - levels[level.clamp_min(0)] - shift) ** 2).mean((1, 2)).sum()

        cuda = device.type == 'cuda'
        optimizer = torch.optim.Adam(
            [p for layer in network for p in layer], lr=1e-3, betas=(0.9, 0.99), eps=1e-5, capturable=cuda, fused=cuda)

    def step():
        optimizer.zero_grad(set_to_none=False)
        loss().backward()
        optimizer.step()

    for layer in network:
        for parameter in layer:
            parameter.grad = torch.zeros_like(parameter)
    if device.type != 'cuda':
        return rate(step, lambda: None, replicas, options.seconds)
    if options.eager:
        return rate(step, torch.cuda.synchronize, replicas, options.seconds)
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(5):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(GRAPH_STEPS):
            step()
    return rate(graph.replay, torch.cuda.synchronize, GRAPH_STEPS * replicas, options.seconds)


def jax_rate(options):
    import jax
    import jax.numpy as jnp

    if options.device == 'cuda' and jax.default_backend() != 'gpu':
        skip('JAX finds no GPU')
    jax.config.update('jax_default_matmul_precision', 'highest')
    tree = jax.tree_util.tree_map

    def layers(key, sizes):
        made = []
        for inputs, outputs in zip(sizes, sizes[1:]):
            key, own = jax.random.split(key)
            weights = jax.random.truncated_normal(own, -2.0, 2.0, (inputs, outputs)) * inputs**-0.5
            made.append((weights, jnp.zeros(outputs)))
        return made

    def forward(network, x):
        for i, (weights, bias) in enumerate(network):
            x = x @ weights + bias
            x = jax.nn.relu(x) if i + 1 < len(network) else x
        return x

    if options.network == 'parity':
        d = options.d

        def make(key):
            first, second = jax.random.split(key)
            return layers(first, [d, 10 * d, 1]), jax.random.bernoulli(second, 0.5, (d,))

        def loss(network, subset, key):
            x = jax.random.rademacher(key, (PARITY_BATCH, d), dtype=jnp.float32)
            y = jnp.prod(jnp.where(subset, x, 1.0), -1, keepdims=True)
            return jnp.maximum(0.0, 1.0 - y * forward(network, x)).mean()

        def step(network, subset, key):
            return tree(lambda w, g: w - 0.01 * g, network, jax.grad(loss)(network, subset, key))
    else:
        levels = jnp.array(OFFSETS, jnp.float32)

        def make(key):
            first, second, third = jax.random.split(key, 3)
            network = layers(first, [STEP_INPUTS, 100, 100, 100, 1])
            nothing = tree(jnp.zeros_like, network)
            task = jax.random.normal(second, (STEP_INPUTS, 1)), jax.random.normal(third, ())
            return (network, nothing, nothing, jnp.zeros(())), task

        def loss(network, task, key):
            x = jax.random.normal(key, (STEP_BATCH, STEP_INPUTS)) / 100
            level = jnp.searchsorted(levels, x @ task[0], side='right') - 1
            return ((forward(network, x) - levels[jnp.maximum(level, 0)] - task[1]) ** 2).mean()

        def step(state, task, key):
            network, mean, square, count = state
            gradient, count = jax.grad(loss)(network, task, key), count + 1
            mean = tree(lambda m, g: 0.9 * m + 0.1 * g, mean, gradient)
            square = tree(lambda v, g: 0.99 * v + 0.01 * g * g, square, gradient)
            now = 1e-3 * jnp.sqrt(1 - 0.99**count) / (1 - 0.9**count)
            return tree(lambda w, m, v: w - now * m / (jnp.sqrt(v) + 1e-5), network, mean, square), mean, square, count

    def scan(state, task, key):
        return jax.lax.scan(lambda s, k: (step(s, task, k), None), state, jax.random.split(key, SCAN_STEPS))[0]

    keys = jax.random.split(jax.random.PRNGKey(1), options.replicas)
    state, task = jax.vmap(make)(keys)
    run = jax.jit(jax.vmap(scan))
    split = jax.jit(jax.vmap(lambda key: jax.random.split(key)[0]))
    now = {'state': state, 'keys': keys}

    def steps():
        now['keys'] = split(now['keys'])
        now['state'] = run(now['state'], task, now['keys'])

    return rate(steps, lambda: jax.block_until_ready(now['state']), SCAN_STEPS * options.replicas, options.seconds)


def rate(call, synchronize, steps_per_call, seconds):
    """The median of three windows, after a few calls that do not count."""
    for _ in range(3):
        call()
    synchronize()
    rates = []
    for _ in range(3):
        calls, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds / 3:
            call()
            calls += 1
            if calls % 8 == 0:
                synchronize()
        synchronize()
        rates.append(calls * steps_per_call / (time.perf_counter() - start))
    return sorted(rates)[1]


def skip(why):
    print(why)
    sys.exit(3)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('library', choices=['torch', 'jax'])
    parser.add_argument('network', choices=['parity', 'step-e2e'])
    parser.add_argument('--d', type=int, default=30)
    parser.add_argument('--replicas', type=int, default=1)
    parser.add_argument('--eager', action='store_true')
    parser.add_argument('--device', default='cuda', choices=['cuda', 'cpu'])
    parser.add_argument('--seconds', type=float, default=2)
    options = parser.parse_args()
    try:
        found = (torch_rate if options.library == 'torch' else jax_rate)(options)
    except ImportError as missing:
        skip('not installed: %s' % missing)
    name = '%s %s%s' % (options.library, options.network, ' d = %d' % options.d if options.network == 'parity' else '')
    print('%s, %d at once: %s steps/s' % (name, options.replicas, format(round(found), ',')))


main()
