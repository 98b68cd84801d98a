from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium_mcp.core.answers.context import context_of
from consortium_mcp.core.answers.equivalence import contradict, group, same
from consortium_mcp.core.answers.options import read_options
from consortium_mcp.core.answers.parsing import read
from consortium_mcp.core.reading.replies import read_reply
from tests.support.growth import is_linear

SAME = [
    # numbers
    ("42", "42.0"), ("42", "42."), ("+5", "5"), ("-0", "0"), ("−5", "-5"),
    (".5", "0.5"), ("1,000", "1000"), ("1 000 000", "1,000,000"), ("1,234,567.50", "1234567.5"),
    ("1.5e3", "1500"), ("1.5 × 10^3", "1500"), ("1.5 x 10^3", "1500"), ("6.02e3", "6020"),
    ("3 million", "3,000,000"), ("three", "3"), ("about 5", "5"), ("x = 5", "5"), ("5!", "120"),
    ("½", "0.5"), ("2½", "2.5"), ("2 1/2", "5/2"), ("44 - 2", "42"), ("6*7", "42"),
    ("6 × 7", "42"), (r"\frac{1} {2}", "0.5"), ("-1 1/2", "-1.5"), ("10²", "100"),
    # fractions, LaTeX
    (r"\frac{1}{5}", "0.2"), (r"\dfrac15", "1/5"), (r"2\frac{1}{2}", "2.5"),
    (r"$\frac{1}{5}$", "1/5"),
    (r"\(\frac{7}{2}\)", "3.5"), (r"\\frac{1}{5}", "1/5"), (r"\boxed{7}", "7"), (r"\sqrt{16}", "4"),
    (r"6\sqrt{2}", "6√2"), ("7 + sqrt(69)", "sqrt(69) + 7"), (r"\frac{44 \sqrt{3}}{3}", "44√3/3"),
    (r"2\pi", "2pi"), (r"\left( -1, \ 2\right)", "(-1, 2)"), (r"2^{10}", "1024"),
    (r"\infty", "infinity"), (r"90^\circ", "90 degrees"), (r"\text{Monday}", "monday"),
    # units, currencies, percent
    ("5 hours", "5 hrs"), ("5 hours", "5"), ("5 km", "5 kilometers"), ("$1,000", "1000 dollars"),
    ("$1,000", "1000"), ("-$5", "$-5"), ("€20", "20 EUR"), ("50%", "50 percent"), ("50%", "50"),
    ("50%", "0.5"), ("12 cm²", "12 square centimeters"), ("12 cm^2", "12 sq cm"),
    ("12 cm2", "12 cm²"), ("5 dozens", "5"),
    ("10 feet", "10 ft"), ("3 apples", "3"), ("8 boxes", "8 box"),
    ("8 glasses", "8 glass"), ("5 pounds of insects a day", "5"),
    ("2:00 pm", "2 pm"), ("36 hours, which is a lot", "36"), ("60 miles per hour", "60 mph"),
    # choices and truths
    ("B", "(b)"), ("Option B: Paris", "b"), ("option (c)", "C."), ("Yes", "yes."), ("yes!", "Yes"),
    ("True", "yes"),
    # dates
    ("March 5, 2021", "5 March 2021"), ("2021-03-05", "5th of March 2021"),
    ("Sept. 1, 2020", "2020/9/1"),
    # sets and tuples
    ("{1, 2}", "{2,1}"), ("2, -1", "-1 and 2"), ("(1, 2)", "( 1,2 )"), ("[1, 1/2]", "[1.0, 0.5]"),
    ("{(1, 2), (3, 4)}", "{(3,4),(1,2)}"),
    # code, names, phrases
    ("`None`", "None"), ("'maybe'", "maybe"), ("print(1)", "print( 1 )"), ("4x+1", "4*x + 1"),
    ("x²", "x^2"), ("The Beatles", "beatles"), ("**Tokyo**", "tokyo"), ("“Paris”", "Paris"),
    ("new  york", "New York"), ("Paris, which is the capital", "Paris"),
    ("J.K. Rowling", "J. K. Rowling"), ("U.S.A.", "USA"), ("Washington, D.C.", "Washington DC"),
    ("Jean-Paul Sartre", "Jean Paul Sartre"), ("R&B", "r&b"), ("Salt & Pepper", "salt and pepper"),
    # numbers in words, parts of one, money in short
    ("two thirds", "2/3"), ("one half", "0.5"), ("a quarter of the cake", "1/4"), ("half", "1/2"),
    ("2 and a half", "2.5"), ("2 and 1/2", "5/2"), ("twenty-one", "21"), ("forty two", "42"),
    ("two hundred", "200"), ("2 dozen", "24"), ("$5M", "$5 million"), ("$5bn", "5 billion dollars"),
    ("$5k", "5000 USD"), ("5M dollars", "$5,000,000"), ("1.5×10⁻³", "0.0015"), ("10⁻³", "0.001"),
    (r"1{,}000", "1000"), ("0x1f", "31"),
    # units in one another
    ("1 hour", "60 minutes"), ("100 cm", "1 m"), ("2 feet", "24 inches"), ("50 cents", "$0.50"),
    ("5 kgs", "5 kg"), ("10 m/s", "10 meters per second"), ("3 mi", "3 miles"),
    ("8 GB", "8 gigabytes"), ("2 m³", "2 cubic meters"), ("5 MW", "5 megawatts"),
    ("5 N", "5 newtons"),
    ("5 people", "5 persons"), ("5 hours before the start of it all", "5 hours"),
    # more than one value
    ("10,000 and 20,000", "20000 and 10000"), ("(10,000, 20,000)", "(10000, 20000)"),
    ("x = 1 or x = 2", "1, 2"), ("x = 2, y = 3", "y=3 and x=2"), ("[1, 2,]", "[1,2]"),
    ("{'a': 1, 'b': 2}", '{"b":2,"a":1}'), ("['x', 'y']", '["x","y"]'),
    ("red and blue", "Blue and Red"), ("red, green, and blue", "red, green, blue"),
    ("two hundred thousand", "200,000"), ("five million two hundred thousand", "5,200,000"),
    ("one hundred five", "105"), ("two hundred and five", "205"), ("seven twelfths", "7/12"),
    ("one twentieth", "1/20"), ("negative five", "-5"), ("minus 5", "-5"), ("three apples", "3"),
    ("5 crore", "50,000,000"), ("5 millions", "5 million"), ("5 a day", "5 per day"),
    ("The answer is 5", "5"), ("Yes, it is", "Yes"), ("No, it isn't.", "no"),
    ("July 4", "4 July"), ("H₂O", "H_2O"), ("25 C", "25 °C"), ("5 ms", "5 milliseconds"),
    ("1 hour 30 minutes", "90 min"), ("5 feet 3 inches", "63 in"), (r"\sqrt[3]{8}", "2"),
    # formulas
    (r"x^{2}", "x²"), (r"e^{x}", "e^x"), ("x**2", "x^2"), ("x ≥ 2", r"x \geq 2"), ("x¹⁰", "x^10"),
    # other languages and scripts
    ("東京", "東京。"), ("上海", "「上海」"), ("Oui", "oui !"), ("Ja", "Yes"), ("是", "yes"),
    ("Да", "да."),
    ("४२", "42"), ("４２", "42"), ("۴۲", "٤٢"), ("三十", "30"), ("二〇二六", "2026"),
    ("一万二千", "12000"),
    ("三百人", "300人"), ("1.234,5", "1234.5"), ("1 234,50", "1234.50"), ("1'234.50", "1,234.50"),
    ("1.234.567", "1,234,567"), ("٣٫١٤", "3.14"), ("５０％", "50%"), ("4\u200b2", "42"),
    ("42\u00a0km", "42 km"),
    ("München", "Mu\u0308nchen"), ("“Paris”", "„Paris“"), ("A、", "A"), ("（A）", "A"),
    ("1)", "1"), ("А)", "А"),
    ("I.", "I"),
    # case where it says nothing
    ("TOKYO", "Tokyo"), ("New York", "new york"), ("FALSE", "false"), ("GitHub", "Github"),
    ("x ≤ 3", r"x \le 3"), ("x ≠ y", "x != y"), ("Red and Blue", "blue and red"),
    # dates
    ("Friday, March 5, 2021", "2021-03-05"), ("the 5th of March 2021", "5 March 2021"),
]  # fmt: skip
APART = [
    ("x = 2, y = 3", "x = 3, y = 2"), ("safe, as long as nobody runs it", "safe"),
    ("Yes, as long as n is even", "Yes"), ("5 not", "5"), ("5 is wrong", "5"),
    ("100 is not the right number here", "100"), ("5 at most", "5"), ("5 squared", "5"),
    ("two thirds", "2"), ("one half", "1"), ("2 dozen", "2"), ("1 in 3", "1"), ("2 out of 3", "2"),
    ("5 hours before the start of it all", "5 minutes before the start of it all"),
    ("$5M", "$5bn"), ("$5M", "$5"), ("10,000 and 20,000", "0, 10 and 20"), ("10–20", "-10"),
    ("6/2/2021", "12/4/2021"), ("2021-03", "2018"), ("3-1", "4-2"), ("5 mW", "5 MW"),
    ("x**2", "x*2"), ("['1', '2']", "[1, 2]"), ("1 hour", "61 minutes"), ("3 thousandths", "3"),
    ("red and blue", "red and green"), ("red or blue", "red and blue"), ("a.b", "b"),
    ("3x/2", "3"), ("2ab", "2"), ("3x^2", "3"), (r"2\sqrt{x}", "2"), ("2πr", "2"),
    ("2 cos(x)", "2"), ("1<x<2", "1"), ("17%3", "17"), ("10>3", "10"), ("5±2", "5"),
    ("3.11.2", "3.11"), ("5-3", "5"), ("two hundred thousand", "200"), ("one in four", "1"),
    ("five million two hundred thousand", "5,000,000"), ("three point five", "3"),
    ("two times three", "2"), ("one twentieth", "1"), ("5M", "5"), ("5 bn", "5"), ("5 crore", "5"),
    ("one two", "1"), ("ten five", "15"), ("No: 42", "42"), ("No: it is safe", "it is safe"),
    ("1 2 3", "12 3"), ("2, 2, 3", "2, 3"),
    ("10 – 20", "-10"), ("0,123", "123"), ("5 March", "5"), ("1990s", "1990"), ("five (5)", "25"),
    ("20th century", "20"), ("42 cannot be", "42"), ("1010 in base two", "1010"), ("2₁₀", "210"),
    ("5 Mb", "5 MB"), ("5 mg", "5 Mg"), ("third", "1/3"), ("the fifth", "a fifth"),
    ("41", "42"), ("4.2", "42"), (".5", "5"), ("-5", "5"), ("1/3", "0.333"), ("5", "5!"),
    ("0.5", "50"), ("50%", "5"), ("5 hours", "5 minutes"), ("$5", "€5"), ("3 apples", "3 oranges"),
    ("safe", "not safe"), ("n", "n!"), ("y", "y'"), ("A B", "B"), ("yes", "no"), ("B", "C"),
    ("(3,100)", "3100"), ("(1, 2)", "(2, 1)"), ("(1, 2)", "[1, 2]"), ("(1, 2)", "{1, 2}"),
    ("[0,1)", "(0,1]"), ("{1, 2}", "{1, 2, 3}"), ("1112112_3", "1112112"), ("10 to 20", "10"),
    ("March 5, 2021", "May 3, 2021"), ("86 glasses and 42 plates", "86"), ("3:30", "3"),
    ("5 hours 30 minutes", "5 hours"), ("A. Einstein", "A"), ("4x+1", "4x-1"), ("9^9^9", "9^9"),
    # case, zeros, quotes and symbols that count
    ("%M", "%m"), ("%Y-%m", "%Y-%M"), ("\\W+", "\\w+"), ("-v", "-V"), ("--Force", "--force"),
    ("ls -R", "ls -r"), ("NO", "No2"), ("Pa", "PA"), ("mM", "MM"), ("CO2", "Co2"), ("US", "us"),
    ("042", "42"), ("007", "7"), ("00", "0"), ("_x", "x"), ("max_n", "max n"), ("__a__", "a"),
    ('"1"', "1"), ("'None'", "None"), ("||", "or"), ("||", "&&"), ("->", "=>"), ("==", "="),
    ("👍", "👎"),
    ("5 S", "5 s"), ("5 T", "5 t"), ("$PATH", "$path"), ("/etc/Hosts", "/etc/hosts"),
    ("Foo()", "foo()"),
    ("0,5", "5,0"), ("1,5", "5,1"), ("3,14", "3, 14"), ("北京", "上海"), ("三", "四"),
    ("三十", "十三"),
    ("camelCase", "CamelCase"), ("getElementById", "getElementByID"), ("README.md", "readme.md"),
    ("[A-Z]+", "[a-z]+"), ("f(x)", "F(x)"), ("X^2", "x^2"), ("AaBb", "AABb"), ("NaCl", "NACL"),
    ("5 Pa", "5 pA"), ("10 mm", "10 Mm"), ("5 mL", "5 ML"), ('"true"', "true"), ("cd ..", "cd ."),
    ("a.b", "ab"), ("192.168.001.001", "192168001001"), ("萬", "0"),
    ("infinitely many", "many"), ("2 x", "2"), ("31 February 2021", "28 February 2021"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME)
def test_answers_that_mean_the_same_are_the_same(one: str, other: str) -> None:
    assert same(read(one), read(other)), (read(one), read(other))
    assert same(read(other), read(one))
    assert not contradict(read(one), read(other))
    assert len(group([read(one), read(other)])) == 1


@pytest.mark.parametrize(("one", "other"), APART)
def test_answers_that_differ_stay_apart(one: str, other: str) -> None:
    assert not same(read(one), read(other)), (read(one), read(other))
    assert not same(read(other), read(one))
    assert len(group([read(one), read(other)])) == 2


@pytest.mark.parametrize("text", ["", "  ", "...", "**", "-", "()"])
def test_nothing_is_no_answer_and_the_same_as_none(text: str) -> None:
    assert read(text) is None
    assert not same(read(text), read(text))
    assert not contradict(read(text), read("42"))


@pytest.mark.parametrize(
    "text",
    [
        "(-2)^pi", "(-pi)^e", "((((1.0000001^59)^59)^59)^59)",
        "1/0", "0^-1", "2^10^10", "99!", "(-8)^(1/3)", "sqrt(-1)", "1 1/0", "3(", "5..",
        "e^e^e^e^e", "((((" * 40, "1e999999", "\\frac{1}", "\\frac", "\\sqrt{", "{(1,2}",
        "(1,2))", "9" * 150, "-" * 90, "!" * 90, "2 % 3", "2 << 3", "2//3", "2**-3**2",
        "3 @ 4", "-5)", "+(5)",
        "\\text{a" * 30, "\\sqrt{" * 30,
    ],
)  # fmt: skip
def test_what_has_no_value_is_words_or_nothing_and_costs_no_time(text: str) -> None:
    answer = read(text)
    assert answer is None or answer.kind in {"expression", "words", "number"}


@given(st.text(max_size=250))
def test_any_text_can_be_read_and_is_the_same_as_itself(text: str) -> None:
    answer = read(text)
    assert answer is None or same(answer, read(text))


@given(st.text(alphabet="0123456789.,+-*/^()!√π%$ esqrtpi\\{}fachx=", max_size=60))
def test_any_formula_can_be_read(text: str) -> None:
    read(text)


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_thousands_separators_change_nothing(number: int) -> None:
    assert same(read(f"{number:,}"), read(str(number)))


@pytest.mark.parametrize(
    ("one", "other", "sure"),
    [
        ("42", "41", True),
        ("42", "42.0", False),
        ("5 hours", "5 minutes", True),
        ("1 hour", "60 minutes", False),
        ("3 km", "3000", False),
        ("3 km", "3001", False),
        ("3 km", "4000", True),
        ("33.3%", "1/3", False),
        ("33.3%", "1/2", True),
        ("10 miles", "16.09 km", False),
        ("1 inch", "2.5 cm", False),
        ("7 weeks", "50 days", False),
        ("7 weeks", "60 days", True),
        ("8 billion", "8,045,311,447", False),
        ("8 billion", "9,045,311,447", True),
        ("300,000 km/s", "299,792 km/s", False),
        ("about 5", "5.3", False),
        ("0.3", "1/3", False),
        ("3.1", "3.14159", False),
        ("3.1", "3.2", True),
        ("100 °C", "212", False),
        ("5 kHz", "5000", False),
        ("2 years", "24", False),
        ("90°", "π/2", False),
        ("$5 million", "5", False),
        ("1.234", "1,234", False),
        ("5 pm", "17", False),
        ("5 kg", "5 m", False),
        ("1000", "1024", False),
        ("2020", "2021", True),
        ("√2", "1.41", False),
        ("√2", "1.5", True),
        ("2/7", "0.29", False),
        ("1/3", "0.333", False),
        ("5 persons", "6 folks", False),
        ("5 apples", "6 apples", True),
        ("36 hours", "35", True),
        ("50%", "0.6", True),
        ("safe", "not safe", True),
        ("B", "(c)", True),
        ("yes", "No.", True),
        ("true", "yes", False),
        ("Tokyo", "Tokyo, Japan", False),
        ("42", "forty-two", False),
        ("", "42", False),
    ],
)
def test_contradictions_are_called_only_where_they_are_certain(
    one: str, other: str, *, sure: bool
) -> None:
    assert contradict(read(one), read(other)) is contradict(read(other), read(one)) is sure


@pytest.mark.parametrize(
    ("answers", "groups"),
    [
        (["5", "5 h", "5 hours", "6"], ((0, 1, 2), (3,))),
        (["5", "5 h", "5 min", "5 hours"], ((0,), (1, 3), (2,))),
        (["50%", "0.5", "1/2"], ((0, 1, 2),)),
        (["50%", "50", "0.5"], ((0, 1), (2,))),
        (["50%", "1/2", "0.5 km"], ((0,), (1, 2))),
        (["60", "1 hour", "60 min"], ((0, 1, 2),)),
        (["60", "1 hour", "60 min", "1"], ((0,), (1, 2), (3,))),
        (["", "42", ""], ((0,), (1,), (2,))),
        (["42", "41", "42.0", "41"], ((0, 2), (1, 3))),
    ],
)
def test_a_unit_that_is_left_out_joins_only_where_it_is_clear(
    answers: list[str], groups: tuple[tuple[int, ...], ...]
) -> None:
    assert group([read(answer) for answer in answers]) == groups


@pytest.mark.parametrize(
    ("prompt", "one", "other", "alike"),
    [
        # decimal commas, as the language or another answer shows
        ("Wie groß ist Pi auf zwei Stellen?", "3,14", "3.14", True),
        ("Combien mesure-t-il ?", "1,75 m", "1.75 m", True),
        ("Сколько это будет?", "0,5", "1/2", True),
        ("Quanto è alto?", "0,5", "5,0", False),
        ("Wie viele Menschen sind es?", "1.234", "1234", False),  # or 1.234, rounded
        ("Wie viele Menschen sind es?", "1,234", "1234", False),
        ("Wie viele Menschen sind es?", "12.345.678", "12345678", True),
        ("How much is it?", "1.234,50 €", "1234,50 €", True),
        ("How much is it?", "3,14", "3.14", True),
        ("How many people?", "1,234", "1.234", False),
        ("How many people?", "1,234", "1234", True),
        ("Which are the roots?", "1,2", "2, 1", True),
        ("Which are the roots?", "1,2", "2,1", False),  # or decimals
        # an order
        ("In which order must the steps be run?", "2, 1, 3", "1, 2, 3", False),
        ("Rank the cities by size.", "Rome, Paris", "Paris, Rome", False),
        ("Sort 3, 1, 2.", "1, 2, 3", "1, 2 and 3", True),
        ("In welcher Reihenfolge?", "red and blue", "blue and red", False),
        ("按顺序排列", "2, 1", "1, 2", False),
        ("Solve for x.", "x=2 or x=3", "x = 3 or x = 2", True),
        ("Solve for x.", "2, 3", "3, 2", True),
        ("Where is it?", "(1, 2)", "(2, 1)", False),
        ("In which order?\n1. wash\n2. dry\n3. iron", "2, 1, 3", "1, 2, 3", False),
        ("In which order?\nA) x\nB) y\nC) z", "B, A, C", "A, B, C", False),
        ("Arrange from oldest to newest.", "2, 1, 3", "1, 2, 3", False),
        ("What are the coordinates of the vertex?", "2, 1", "1, 2", False),
        ("Löse die Gleichung.", "x=-1 oder x=2", "x=2 oder x=-1", True),
        ("Welche?", "100 Prozent", "100 %", True),
        ("Which?\nA.Dog\nB.Cat", "A", "Dog", True),
        ("Which? a) Dog b) Cat", "b", "Cat", True),
        ("选哪个？（A）狗（B）猫", "选B", "猫", True),
        ("Which?\nA) Rome\nB) Paris", "B, Paris", "B", True),
        ("Which apply?\nA) x\nB) y\nC) z", "B, C", "B and C", True),
        ("多少？", "1.5万", "15000", True),
        ("多少？", "一百个", "100", True),
        # bare letters where the question offers none
        ("Which flag deletes it?", "D", "d", False),
        ("", "D", "d", True),
        # options
        ("Which?\n1) Foo\n2) Bar\n3) Baz", "2", "2) Bar", True),
        ("Which?\n1) Foo\n2) Bar\n3) Baz", "2", "Bar", True),
        ("Which?\n1. Foo\n2. Bar", "1", "2", False),
        ("Which?\nI. Foo\nII. Bar\nIII. Baz", "II", "Bar", True),
        ("哪个是水果？\nA、苹果\nB、石头", "A", "A、苹果", True),
        ("哪个是水果？\nA．苹果\nB．石头", "（A）", "苹果", True),
        ("哪个是水果？ A、苹果 B、石头", "B", "石头", True),
        ("どれ？\nア. 犬\nイ. 猫", "イ", "猫", True),
        ("Какой?\nА) кот\nБ) пёс\nВ) слон", "В", "слон", True),
        ("Какой?\nA) кот\nB) пёс\nC) слон", "В", "B", True),  # a Russian В for B
        ("무엇?\n① 개\n② 고양이", "2", "고양이", True),
        ("Which is a fruit?\nA - Apple\nB - Stone", "B", "B - Stone", True),
        ("Which is a fruit?\n### Option A: Apple\n### Option B: Stone", "Apple", "A", True),
        ("Which is a fruit?\n- **(A)** Apple\n- **(B)** Stone", "Apple", "B", False),
        ("Which? (1) Apple (2) Stone", "(2)", "Stone", True),
    ],
)
def test_the_question_and_the_other_answers_say_how_one_is_read(
    prompt: str, one: str, other: str, *, alike: bool
) -> None:
    context = context_of(prompt, (one, other))
    assert same(read(one, context), read(other, context)) is alike
    assert same(read(other, context), read(one, context)) is alike


ANSWERS = st.sampled_from(
    ["42", "42.0", "٤٢", "四十二", "42 km", "42 m", "4200%", "4,2", "4.2", "1.234,5", "1,234",
    "1.234",
     "A", "a", "(b)", "-D", "-d", "CO", "Co", "yes", "Ja", "no", "1, 2", "2, 1", "{1, 2}", "Paris",
     "PARIS", "__x__", "&&", "", "N/A", "50%", "0.5", "0,5", "1 h", "60 min", "60", "x = 2"]
)  # fmt: skip
PROMPTS = st.sampled_from(
    ["", "How many?", "Wie viele sind es?", "In which order?", "Which?\nA) 42\nB) Paris\nC) yes"]
)


@given(PROMPTS, st.lists(st.one_of(ANSWERS, st.text(max_size=12)), max_size=8))
def test_groups_are_of_answers_that_are_the_same(prompt: str, texts: list[str]) -> None:
    context = context_of(prompt, texts)
    answers = [read(text, context) for text in texts]
    groups = group(answers)
    assert sorted(place for each in groups for place in each) == list(range(len(texts)))
    for each in groups:
        for one in each:
            for other in each:
                first, second = answers[one], answers[other]
                assert same(first, second) == same(second, first)
                # A bare 60 is in the group of 60 min and 1 h, where no other unit is named.
                if one != other and first and second and bool(first.unit) == bool(second.unit):
                    assert same(first, second)


CITIES = "Which is the capital of France?\n(A) Paris\n(B) The London\n(C) 42 km\n(D) Paris, Texas"
INLINE = "Which? (A) Paris (B) Rome, Italy (C) [none]"
MARKED = "**A)** red\n**B)** green"
BRACKETED = "(A)red\n(B)green\n[C] blue\nOption D: white"
LISTS = "A) one\nB) two\n\nNow choose:\na. red\nb. green\nc. blue"


def test_options_are_read_from_the_question() -> None:
    assert read_options(CITIES) == (
        ("a", "Paris"), ("b", "The London"), ("c", "42 km"), ("d", "Paris, Texas"),
    )  # fmt: skip
    assert read_options(LISTS) == (("a", "red"), ("b", "green"), ("c", "blue"))
    assert read_options(INLINE) == (("a", "Paris"), ("b", "Rome, Italy"), ("c", "[none]"))
    assert read_options(MARKED) == (("a", "red"), ("b", "green"))
    assert read_options(BRACKETED) == (
        ("a", "red"), ("b", "green"), ("c", "blue"), ("d", "white"),
    )  # fmt: skip
    many = "\n".join(f"{letter}. {letter * 3}" for letter in "ABCDEFGHIJKLMN")
    assert len(read_options(many)) == 14
    assert read_options("B) two\nC) three") == ()
    assert read_options("A) red\nB) green\n\nA) Think first.") == (("a", "red"), ("b", "green"))
    assert read_options("Plan A. Then plan B. Which?") == ()
    assert read_options("A) alone") == ()
    assert read_options("A) red\nC) blue\nB) green") == (("a", "red"), ("b", "green"))
    assert read_options("What is 6 × 7?") == ()


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "b"), ("(b)", "b"), ("b.", "b"), ("Option B: London", "b"), ("B) London", "b"),
        ("The London", "b"), ("London.", "b"), ("Answer: C", "c"), ("42 km", "c"),
        ("C (42 km)", "c"),
        ("B) Paris", None), ("E", None), ("Madrid", None),
    ],
)  # fmt: skip
def test_a_choice_is_known_by_its_letter_its_text_or_both(text: str, letter: str | None) -> None:
    context = context_of(CITIES)
    answer = read(text, context)
    assert answer is not None
    chosen = (
        answer.value if answer.kind == "choice" and answer.value in dict(context.options) else None
    )
    assert chosen == letter


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("0.2", "a"), (r"\frac{1}{5}", "a"), ("1,000", "b"), ("b) 1000", "b"), ("5", None),
        ("Option E: safe", "e"), ("Option D: safe", None), ("D) safe", None), ("safe", "e"),
        ("not safe", "d"), ("Option D: it is dangerous", "d"), ("E: not safe", None),
        ("Option E is not safe", None), ("Option D or E", None), ("Answer: a different one", None),
        ("C: 1000", None),
    ],
)  # fmt: skip
def test_options_are_compared_by_what_they_mean(text: str, letter: str | None) -> None:
    context = context_of("A) 1/5\nB) 1000\nC) 5 hours or 5 minutes\nD) not safe\nE) safe")
    answer = read(text, context)
    assert answer is not None
    assert (answer.value if answer.kind == "choice" else None) == letter


def test_two_options_of_the_same_words_are_known_by_letter_only() -> None:
    assert read("red", context_of("A) red\nB) red\nC) blue")) == read("red")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("I counted. <final_answer>42</final_answer>", "42"),
        ('```json\n{"reasoning": "6 × 7", "answer": "42"}\n```', "42"),
        ('{"answer": 42, "why": "because"}', "42"),
        (r'{"answer": "\\frac{1}{2}"}', r"\frac{1}{2}"),
        (r"So we get $\boxed{\frac{1}{2}}$.", r"\frac{1}{2}"),
        ("Six times seven.\n\n**Answer:** 42", "42"),
        ("Six times seven.\nThe final answer is 42.", "42."),
        ("Therefore, the answer is: 42", "42"),
        ("6 * 7 = 42\n#### 42", "42"),
        ("<think>The answer is 41</think>The answer is 42", "42"),
        ("The answer is 41 at first sight. But look again:\nit is more.", None),
        ("I think the answer may be 42", None),
        (r"\boxed{never closed", None),
        ("", None),
        ("It depends.", None),
    ],
)
def test_a_final_answer_is_read_where_models_put_it(text: str, answer: str | None) -> None:
    assert read_reply(text).final_answer == answer


def test_our_tag_wins_over_habits() -> None:
    text = "The answer is 41\n<final_answer>42</final_answer>\n\\boxed{43}"
    assert read_reply(text).final_answer == "42"
    assert read_reply("<final_answer></final_answer>\nThe answer is 41").final_answer is None


@pytest.mark.parametrize("piece", [" \n", "A) ", "(A)", "\n" * 3, "a" * 3, "- * "])
def test_options_are_looked_for_in_linear_time(piece: str) -> None:
    assert is_linear(lambda size: read_options(piece * (size // len(piece))), 60_000)


def test_all_of_this_takes_text_of_any_length() -> None:
    assert re.fullmatch("words", str((read("word " * 10_000) or ("",))[0]))
    assert read_reply('"answer": "' * 50_000).final_answer is None
