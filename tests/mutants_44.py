"""Wrong edits of the chapter "Segmentation refinement": each must fail by one of the chapter's own assertions.

(name, text in the code cells, found exactly once, what replaces it)
"""

NOTEBOOK = "44_segmentation.ipynb"

EDITS = [
    ("distance to a border measured in the image instead of the labels",
     "highest = F.max_pool2d(labels.float(), *window)", "highest = F.max_pool2d(labels.float() + 1, *window)"),
    ("every ring counted from the border on, not from the ring before",
     "missed = classes_of(restore(s)) != s.reference", "missed = classes_of(restore(s)) == s.reference"),
    ("a filter that trusts no photograph",
     'gf = find_method("gf", "segmentation", radius=8, eps=1e-4)', 'gf = find_method("gf", "segmentation", radius=8, eps=1e2)'),
    ("one class filtered, another one compared",
     "(alone - filtered[:, 3:4])", "(alone - filtered[:, 2:3])"),
    ("logits filtered that are probabilities",
     "target=sample.target.clamp(min=1e-4).log()", "target=sample.target.clamp(min=1e-4)"),
    ("union that counts the hits twice",
     "return hit / (matrix.sum(0) + matrix.sum(1) - hit)", "return hit / (matrix.sum(0) + matrix.sum(1))"),
    ("mean of the pictures taken for the score of the set",
     "pooled, each = mean_iou(sum(counts)),", "pooled, each = sum(mean_iou(one) for one in counts) / number,"),
    ("evaluate with another regularisation",
     'options={"radius": 8, "eps": 1e-4}, **scenes)', 'options={"radius": 8, "eps": 1e-2}, **scenes)'),
    ("a perfect guide that divides by nothing",
     "mean = box_mean(sample.target * own, radius) / box_mean(own, radius).clamp(min=1e-6)", "mean = box_mean(sample.target * own, radius)"),
    ("a perfect guide for the wrong side of the border",
     "own = (sample.reference == c).to(sample.target)", "own = (sample.reference != c).to(sample.target)"),
    ("network scored without the network",
     "images={**capture.images, \"scores\": scores}", "images=capture.images"),
    ("ring ignored away from the borders",
     "[l.where(~near(l, radius), IGNORED) for l in labels]", "[l.where(near(l, radius), IGNORED) for l in labels]"),
    ("absent classes counted as perfect",
     '"classes that never occur count 0": set_miou(called, labels, absent=0.0)', '"classes that never occur count 0": set_miou(called, labels, absent=1.0)'),
    ("the gain of the layer over itself",
     "score([classes_of(s.target) for s in samples])\n\ngains", "score([classes_of(gf(s)) for s in samples])\n\ngains"),
    ("rare class without its share of the mean",
     "step = 100 * ((others + 1) / n - others / n)", "step = 100 * ((others + 1) / K - others / K)"),
    ("set without the spoiled picture",
     "mean_iou(spoiled + rest))", "mean_iou(perfect + rest))"),
    ("the layer left out of what is trained together", "    return guided_filter(scores, guide_map(color), radius, eps)\n", "    return scores\n"),
    ("scored without the layer", 'return WAYS["together"](sample)', 'return WAYS["together, layer taken off"](sample)'),
    ("the lone network trained through the layer too", "lone_net, fresh_map, lone_loss = teach(layered=False)", "lone_net, fresh_map, lone_loss = teach(layered=True)"),
    ("stripes at the same strength throughout", "return color * (1 - strength * dark)", "return color * (1 - 0.3 * dark)"),
    ("the gradient thought to reach one radius", "assert rows.min() == 20 - 2 * 4 and rows.max() == 20 + 2 * 4", "assert rows.min() == 20 - 4 and rows.max() == 20 + 4"),
    ("scores of one class raised instead of all", "at = (scores + shift).requires_grad_()", "at = (scores + shift * (torch.arange(K, device=run.device) == 0)[:, None, None]).requires_grad_()"),
]  # fmt: skip
