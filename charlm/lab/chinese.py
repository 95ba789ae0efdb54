"""Captions of the laboratory in simplified Chinese.

The terms are those of 邱锡鹏《神经网络与深度学习》. A `{}` in a caption stands for whatever differs
from run to run, such as a number or a cell's name, and is taken over as it is. What has no entry is
taken over as well: names of cells and models, symbols, commands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

from ..display.charts import Panel

CAPTIONS: dict[str, dict[str, str]] = {  # by experiment: each module that has captions
    "agreement": {
        "clauses without attractors": "从句中没有干扰名词",
        "clauses with attractors": "从句中有干扰名词",
        "words of the clause, after which or who": "从句的词数（which 或 who 之后）",
        "right verbs (%)": "动词的准确率（%）",
        "chance": "随机猜测",
    },
    "bptt": {
        "{}: validation loss ({} tokens of training each)": (
            "{}：验证集上的损失（每次训练 {} 个词元）"
        ),
        "nats": "损失（纳特）",
        "the symbol that another, {} symbols before it, determines": (
            "预测由 {} 个符号之前的符号所决定的符号"
        ),
        "bits: 1 by chance, 0 if recalled": "损失（比特）：随机猜测为 1，记住则为 0",
        "T, tokens after which the gradient is cut": "截断长度 T（梯度最多回传的词元数）",
    },
    "cell": {
        "gates": "门",
        "step": "时间步",
        "open: 1": "1 为打开",
        "i (write)": "输入门 i（写入）",
        "f (keep)": "遗忘门 f（保持）",
        "o (read)": "输出门 o（读出）",
        "what is held": "保存的数",
        "number": "数值",
        "memory cell": "记忆单元",
        "RNN, w = {}": "RNN，w = {}",
        "gradient of what is read at step {}, |∂c_T/∂c_t| and |∂h_T/∂h_t|": (
            "第 {} 步读出内容的梯度：|∂c_T/∂c_t| 与 |∂h_T/∂h_t|"
        ),
        "step t": "时间步 t",
        "{}: that or less": "{}：不大于此值",
    },
    "cell_page": {
        "A memory cell by hand": "手动操作的记忆单元",
        "c_t = f_t c_{t−1} + i_t x_t and y_t = o_t c_t, the gates set by hand; at steps that "
        "write nothing, x_t is noise up to ±{} (seed {}). Beside it plain RNNs of one unit, "
        "h_t = tanh(w h_{t−1} + u x_t), with the same inputs; what they hold is h_t / u.": (
            "c_t = f_t c_{t−1} + i_t x_t，y_t = o_t c_t，各个门由手动设定；不写入的时间步上，x_t "
            "是不超过 ±{} 的噪声（随机种子 {}）。旁边是输入相同、只有一个单元的简单循环网络 "
            "h_t = tanh(w h_{t−1} + u x_t)，它们保存的数是 h_t / u。"
        ),
        "What happens": "过程",
        "Gates, contents and gradients, by step.": "各时间步的门、内容和梯度。",
        "Step by step": "逐步记录",
        "steps": "时间步",
        "what": "操作",
        "RNN, w = {}": "RNN，w = {}",
    },
    "cliff": {
        "error after 50 steps, and three descents from one beginning": (
            "50 个时间步之后的误差，以及从同一初始点开始的三次梯度下降"
        ),
        "error along the descents": "梯度下降过程中的误差",
        "step": "迭代步",
        "not clipped": "不截断",
        "norm clipped": "按模截断",
        "values clipped": "按值截断",
    },
    "depth": {
        "loss while learning ({}, {} seeds)": "训练过程中的损失（{}，{} 个随机种子）",
        "step": "训练步",
        "nats": "损失（纳特）",
        "wrong after training, up to {} steps": "训练后的错误率，最多 {} 个时间步",
        "machine": "自动机",
        "1 layer": "1 层",
        "1 layer, 2 dense": "1 层，另加 2 个全连接层",
        "3 layers": "3 层",
    },
    "gradients": {
        "k, steps back": "k（回传的步数）",
        "‖∂L/∂state‖, at k = 0: 1": "‖∂L/∂状态‖（k = 0 处为 1）",
        "fresh networks (state: h, of an LSTM h and c)": (
            "未训练的网络（状态为 h，LSTM 则为 h 和 c）"
        ),
        "trained on text": "在文本上训练之后",
        "trained to recall what was {} steps ago": "训练记忆 {} 步之前的符号之后",
        "fresh lstm, by forget bias": "未训练的 lstm，遗忘门偏置不同",
        "fresh {}, W_hh scaled; dotted: the bound ‖W‖ᵏ": (
            "未训练的 {}，W_hh 经缩放；点线：上界 ‖W‖ᵏ"
        ),
    },
    "memory": {
        "which end? ({} seeds, {} units)": "句末是哪个符号？（{} 个随机种子，{} 个单元）",
        "k, symbols back": "k（相隔的符号数）",
        "% right": "准确率（%）",
        "chance": "随机猜测",
        "aⁿbⁿ: does it end where it should?": "aⁿbⁿ：结束得正确吗？",
        "% of seeds right": "正确的随机种子（%）",
        "trained up to here": "训练只到这里",
    },
    "shapes_page": {
        "One or many in, one or many out": "一个或多个输入，一个或多个输出",
        "Five small networks of {} units, trained in this run. A column is a step, read from "
        "below; the cells between are the {} units whose values change most, blue −1, white 0, "
        "red 1. The redder an answer, the surer. A dashed arrow: what was answered is read next.": (
            "本次训练的五个小网络，各有 {} 个单元。每一列是一个时间步，自下而上读；中间的方格是"
            "取值变化最大的 {} 个单元，蓝色为 −1，白色为 0，红色为 1。输出越红，把握越大。"
            "虚线箭头：输出作为下一步的输入。"
        ),
        "one to one": "一对一",
        "many to many, Tx = Ty": "多对多，Tx = Ty（同步的序列到序列模式）",
        "many to one": "多对一（序列到类别模式）",
        "one to many": "一对多",
        "many to many, Tx ≠ Ty": "多对多，Tx ≠ Ty（异步的序列到序列模式）",
        "is a word, alone, part of a name?": "单独一个词是否属于人名？",
        "the same, within a sentence": "同样的问题，但词在句子之中",
        "praise or blame?": "褒（praise）还是贬（blame）？",
        "from a label to a review": "由标签生成评论",
        "a word, its letters turned round": "把单词的字母倒过来写",
        "{} (right on new ones, by seed: {})": "{}（新样本上的准确率，按随机种子：{}）",
        "1 marks a person's name": "1 表示人名",
        "drawn, from {}": "由标签 {} 采样",
        "read first, then written": "先读入，再写出",
    },
    "start": {
        "starts, trained with Adam (lag {}; chance: 50 %)": (
            "不同的初始化，用 Adam 训练（间隔 {}；随机猜测为 50 %）"
        ),
        "ways of training, each from “uniform”": "不同的训练方法，都从均匀分布初始化开始",
        "gradient evaluations": "梯度计算次数",
        "% right, each seed": "准确率（%），各随机种子",
        "small": "小方差初始化",
        "uniform": "均匀分布初始化",
        "identity": "单位矩阵初始化",
        "orthogonal": "正交初始化",
        "LSTM chrono": "LSTM，chrono 初始化",
        "momentum": "动量法",
        "Hessian-free": "Hessian-free 优化",
        "echo state network of {} units: only its readout is trained": (
            "{} 个单元的回声状态网络：只训练输出层"
        ),
        "spectral radius of W": "W 的谱半径",
        "% right": "准确率（%）",
        "lag {}": "间隔 {}",
    },
    "timer": {
        "{}: output over target (grey)": "{}：输出和目标（灰色）",
        "step": "时间步",
        "output": "输出",
        "mean |error| outside ±{} steps of the switch-off, each seed": (
            "平均绝对误差，不计关断时刻前后 ±{} 步，各随机种子"
        ),
    },
}


def speaking(lang: str, experiment: str) -> Callable[[str], str]:
    """What turns a caption of an experiment, a key of CAPTIONS, into the language en or zh."""
    if lang == "en":
        return str
    return lambda caption: _in_chinese(caption, experiment)


def translated(panels: Sequence[Panel], lang: str, experiment: str) -> list[Panel]:
    """The panels with their captions in the language en or zh."""
    if lang == "en":
        return list(panels)
    say = speaking(lang, experiment)
    return [_translated(panel, say) for panel in panels]


def fonts_for(lang: str) -> list[str]:
    """What pictures in this language need besides the usual font.

    Raises CharlmError where no such font is installed.
    """
    from ..display.fonts import chinese_fonts

    return chinese_fonts() if lang == "zh" else []


def _translated(panel: Panel, say: Callable[[str], str]) -> Panel:
    surface = panel.surface
    return replace(
        panel,
        title=say(panel.title),
        x_label=say(panel.x_label),
        y_label=say(panel.y_label),
        lines=[replace(line, label=say(line.label)) for line in panel.lines],
        levels=[(say(name), level) for name, level in panel.levels],
        marks=[(say(text), x, y) for text, x, y in panel.marks],
        surface=surface and replace(surface, label=say(surface.label)),
    )


def _in_chinese(caption: str, experiment: str) -> str:
    for pattern, chinese in _patterns(experiment):
        match = pattern.fullmatch(caption)
        if match:
            return _filled(chinese, match.groups())
    return caption


def _filled(chinese: str, parts: Sequence[str]) -> str:
    """The caption with its holes filled, from left to right."""
    left = iter(parts)
    return re.sub(r"\{\}", lambda _: next(left), chinese)


@cache
def _patterns(experiment: str) -> list[tuple[re.Pattern[str], str]]:
    """What matches each caption, with a group for each of its holes, and the Chinese one."""
    return [
        (re.compile("(.+?)".join(map(re.escape, english.split("{}")))), chinese)
        for english, chinese in CAPTIONS[experiment].items()
    ]
