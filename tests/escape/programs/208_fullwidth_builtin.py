"""A builtin in another font.

Technique: PEP 3131 NFKC class.
expect: rejected
control: escapes
"""


def run(inputs):
    return {"escaped": "eval said " + ｅｖａｌ("__import__('os').name")}
