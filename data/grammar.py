"""Word lists and sentence frames for the corpora; plain data, no code beyond splitting.

A frame is a string with ``{slots}``.  A slot is filled with a random word of the list of the same
name, and the word may itself hold slots.  Frames begin in lower case: the generator decides later
whether a line starts with a capital letter.  A list item written twice is twice as likely.
"""

# fmt: off

Frames = tuple[str, ...]
Noun = tuple[str, str]  # singular, plural


def _words(text: str) -> Frames:
    """Split at ``|`` where there is one, else at white space."""
    return tuple(part.strip() for part in (text.split("|") if "|" in text else text.split()))


def _nouns(text: str) -> tuple[Noun, ...]:
    """Read ``cat dog child/children`` as pairs; a plain word takes an ``s``."""
    pairs = (word.partition("/") for word in text.split())
    return tuple((one, many or one + "s") for one, _, many in pairs)


# ------------------------------------------------------------------------------ English: general

SLOTS: dict[str, Frames] = {
    "name": _words("Anna Tom Clara Ben Lena Max Nora Paul Rosa Hugo"),
    "role": _words("baker farmer sailor teacher doctor miller gardener king queen painter"),
    "speaker": _words("the {role} | the {role} | {name} | {name} | my {relative} | the old man"),
    "relative": _words("mother father sister brother uncle aunt grandmother grandfather"),
    "colour": _words("red blue green white black brown yellow grey"),
    "fruit": _words("apple apple apple apple plum peach cherry grape lemon"),
    "dish": _words("salad salad salad tart juice pie cake jam"),
    "tasty": _words("fresh fresh sweet good ready cold"),
    "meal": _words("breakfast lunch dinner supper"),
    "season": _words("spring summer autumn winter"),
    "clothes": _words("shoes shoes socks gloves boots trousers sandals"),
    "thing": _words("boat lamp door box chair coat cup bell basket table"),
    "lost": _words("key coat map lamp basket letter hat ticket ladder bell"),
    "animal": _words("cat dog bird bear fox gull otter seal goose mouse hare horse cow"),
    "pet": _words("cat dog bird horse goose"),
    "small": _words("cat cat dog bird mouse hen"),
    "fur": _words("black white brown grey"),
    "petal": _words("red blue white yellow"),
    "feed": _words("bread corn rice"),
    "cooked": _words("soup | rice | fish | corn | warm soup | rice and fish"),
    "shop": _words("market bakery shop"),
    "open": _words("market station school library museum bakery"),
    "seat": _words("chair box table basket boat"),
    "place": _words("market station school library harbour bridge bakery castle museum"),
    "room": _words("kitchen garden hall barn attic"),
    "food": _words("bread | cheese | soup | honey | rice | fish | corn | fresh bread"
                   " | warm soup | bread and cheese | rice and fish | soup and bread"),
    "drink": _words("tea | milk | coffee | water | apple juice"),
    "plant": _words("apple tree | pear tree | old oak"),
    "weekday": _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
    "hour": _words("six seven eight nine ten eleven noon"),
    "few": _words("two three four five six seven"),
    "minutes": _words("10 20 25 30 45"),
    "number": _words("7 9 14 18 25 30 42 56 80 120"),
    "when": _words("tomorrow | next week | in the evening | on {weekday} | after {meal}"),
    "past": _words("yesterday | last week | on {weekday} | in the morning | before {meal}"),
    "spot": _words("near the {thing} | behind the {thing} | beside the {plant} | in the {room}"),
    "weather": _words("cold warm windy sunny rainy foggy cloudy"),
    "bad": _words("cold windy rainy foggy"),
    "storm": _words("rain wind snow fog storm"),
    "loud": _words("rain wind storm"),
    "feeling": _words("happy tired hungry calm busy proud"),
    "nice": _words("lovely strange small clever funny"),
    "fine": _words("lovely strange heavy old"),
    "hobby": _words("chess | cards | the flute"),
    "subject": _words("history music drawing cooking science"),
    "work": _words("read write sing paint cook swim"),
}

# Who acts: subject, possessive.  ``{she}`` is always third person singular, ``{we}`` is anybody.
SINGULAR: tuple[tuple[str, str], ...] = (
    ("she", "her"), ("he", "his"), ("Anna", "her"), ("Tom", "his"), ("Clara", "her"),
    ("Ben", "his"), ("my sister", "her"), ("my brother", "his"), ("the queen", "her"),
    ("the old man", "his"),
)
ANYBODY: tuple[tuple[str, str], ...] = (
    *SINGULAR, ("I", "my"), ("I", "my"), ("we", "our"), ("we", "our"), ("they", "their"),
    ("the children", "their"), ("the sailors", "their"),
)

# -------------------------------------------------------------------------- English: agreement

NOUNS: dict[str, tuple[Noun, ...]] = {
    "fisher": _nouns("cat cat cat cat dog dog bird bear fox/foxes gull otter seal"),
    "grazer": _nouns("goose/geese mouse/mice hare horse cow"),
    "person": _nouns("child/children child/children man/men woman/women boy girl"
                     " baker farmer sailor teacher guest"),
    "thing": _nouns("boat boat lamp box/boxes chair coat cup bell basket door table"),
    "fruit": _nouns("pear pear apple plum peach/peaches"),
}
NEAR = _nouns("boat boat box/boxes basket chair table")
BESIDE = _nouns("house barn bell bridge door")
LIVING_ADJECTIVES = _words("young happy quiet")
THING_ADJECTIVES = _words("old little red small blue")

# Inside a clause {person}, {animal}, {thing}, {near} and {beside} hold the attractor nouns.
ATE_CLAUSES: Frames = (
    "{adverb} ate fish", "{adverb} ate the fish", "ate fish {near}", "{adverb} ate fish {near}",
    "{adverb} ate the fish {near}", "{adverb} ate the fish {near}",
    "{adverb} ate the fish {near} {where}", "{adverb} ate the fish of {person}",
    "{adverb} ate the fish from the {baskets} {near}",
)
CLAUSES: dict[str, Frames] = {
    "fisher": (
        "slept {near}", "slept {near} {where}", "{person} fed {where}", "chased {animal}",
        "{person} saw {near}", "{person} saw {near} {beside}", "chased {animal} {near}",
        "ran from {animal} {near} {where}", "slept", "waited {near} {beside}",
    ),
    "grazer": (
        "ate the corn {near}", "slept {near} {where}", "{person} fed {where}", "slept",
        "{adverb} ate the {fruits} {near}", "{person} saw {near} {beside}", "lived {near}",
    ),
    "person": (
        "met {person} {near}", "carried {thing} {where}", "fed {animal} {near}", "sang",
        "moved {thing} {where}", "waited {near} {where}", "sang to {animal} {near} {where}",
        "{adverb} ate the {fruits} from the {baskets} {near}",
    ),
    "thing": (
        "{person} found {near}", "{person} left {near} {where}", "{person} moved {where}",
        "{person} saw {near} {beside}", "lay {near}", "belonged to {person}",
    ),
    "fruit": (
        "{person} picked {where}", "fell {near}", "{person} left {near} {where}",
        "lay {near} {where}", "{person} bought at the market {where}",
    ),
}
AGREEMENT_SLOTS: dict[str, Frames] = {
    "adverb": _words("already already already quickly finally"),
    "where": _words("by the sea | in the rain | before noon | in the morning | after lunch"),
}
STATES: dict[str, Frames] = {
    "ate": _words("full full full full full happy sleepy calm slow"),
    "fisher": _words("hungry sleepy happy wet calm quiet tired cold"),
    "grazer": _words("hungry sleepy happy wet calm quiet tired cold"),
    "person": _words("hungry tired happy late kind quiet busy cold"),
    "thing": _words("old | new | clean | heavy | dry | wet | red | green | old and heavy"
                    " | clean and dry"),
    "fruit": _words("ripe | sweet | soft | sour | green | ripe and sweet | green and sour"),
}
STATE_TAILS: Frames = ("", "", "", "", "", "", " again", " at last")

# -------------------------------------------------------------------------- English: homophones

HOMOPHONES: dict[str, Frames] = {
    "pear": (
        "the {fruit} and pear {dish}", "the {fruit} and pear {dish}", "{fruit} and pear {dish}",
        "the apple and pear {dish}", "the apple and pear salad",
        "the apple and pear salad was {tasty}",
        "the {fruit} and pear {dish} was {tasty}", "the {fruit} and pear {dish} is {tasty}",
        "{we} made a {fruit} and pear {dish} for {meal}", "a ripe pear and a cup of {drink}",
        "{we} ate a sweet pear after {meal}", "the pear and {fruit} {dish} was {tasty}",
        "{we} ordered the {fruit} and pear {dish}", "the ripe pear fell from the tree",
        "{she} cut an apple and a pear for the salad", "apples and pears are cheap in autumn",
    ),
    "pair": (
        "a pair of {clothes}", "a new pair of {clothes}", "the {colour} pair of {clothes}",
        "{we} bought a pair of {clothes} {past}", "the pair of {clothes} was too small",
        "{we} lost a pair of {clothes} at the {place}", "a coat and a pair of {clothes}",
        "{she} needs a new pair of {clothes}", "a pair of {clothes} lay under the bed",
        "{we} packed a shirt and two pairs of {clothes}",
    ),
    "their": (
        "the {people} sold their {thing} {past}", "they washed their hands before {meal}",
        "the children forgot their {clothes} at the {place}", "their house is near the {place}",
        "their {relative} was at the {place} {past}", "both girls lost their tickets",
    ),
    "there": (
        "there is a {thing} {spot}", "there was a {fur} {small} in the {room}",
        "is there any {drink} in the cup?", "there is no {drink} in the {room}",
        "we went there by train {past}", "{she} stood there in the {storm}",
        "there are {few} trees behind the {place}",
    ),
    "sea": (
        "the ship crossed the {calm} sea", "the sea was {calm} {past}",
        "they swim in the sea every {season}", "many fish live in the sea",
        "{she} lives in a house by the sea", "{we} sailed over the {calm} sea {past}",
    ),
    "see": (
        "I see a {fur} {small} {spot}", "can you see the {thing} {spot}?",
        "{we} went to see the {role} {past}", "we see the stars at night",
        "come and see the {small} in the {room}", "you can see the {place} from the hill",
    ),
    "flour": (
        "{she} mixed the flour with milk and eggs", "a bag of flour and {few} eggs",
        "the baker put flour in the bowl", "the bread needs more flour",
        "{we} bought flour and butter for the cake", "the miller made flour from the corn",
    ),
    "flower": (
        "a {petal} flower grew in the garden", "the bee sat on the {petal} flower",
        "{she} picked a {petal} flower for {her} mother", "the flower opened in the sun",
        "every flower in the garden was {petal}", "{we} put a {petal} flower in the vase",
    ),
    "meat": (
        "the butcher sold fresh meat at the market", "{she} cooked the meat with onions",
        "the dog ate the meat {past}", "meat and bread for {meal}",
        "the bear smelled the meat in the {room}", "{we} had cold meat and {feed} for {meal}",
    ),
    "meet": (
        "let us meet at the {place} at {hour}", "I will meet {name} {when}", "nice to meet you!",
        "we meet every {weekday} at the {place}", "where shall we meet {name}?",
        "{she} wants to meet the {role} {when}",
    ),
    "write": (
        "please write a letter to {name}", "{she} likes to write long letters",
        "write your name on the paper", "I write with a {colour} pen",
        "{she} will write a book about {subject}", "the children can read and write",
    ),
    "right": (
        "turn right at the {place}", "the answer was right", "{she} raised {her} right hand",
        "you were right about the {storm}", "the {place} is on the right side of the road",
        "is this the right way to the {place}?",
    ),
    "son": (
        "{she} has a son and a daughter", "their son goes to school with {name}",
        "the {role} has a son and {few} daughters", "{she} took {her} son to the {place}",
        "the son of the {role} was {feeling}", "our son is {few} years old",
    ),
    "sun": (
        "the sun rose over the {place}", "the sun is warm today", "the {animal} slept in the sun",
        "the sun went down behind the hill", "{we} sat in the sun after {meal}",
        "the sun was bright {past}",
    ),
    "hair": (
        "{she} brushed {her} long hair", "{she} washed {her} hair {past}",
        "her hair was long and brown", "the girl with red hair is my sister",
        "{she} has short black hair", "the wind blew through {her} hair",
    ),
    "hare": (
        "the hare ran across the field", "the fox chased the hare {past}",
        "where is the hare?", "a brown hare sat in the grass", "the hare was faster than the dog",
        "{we} saw a hare {spot}",
    ),
    "bear": (
        "the brown bear ate the honey", "a bear slept in the cave all winter",
        "the bear caught a fish in the river", "{we} saw a bear near the river {past}",
        "a bear and two foxes live in the forest",
    ),
    "bare": (
        "the trees are bare in winter", "{she} walked on the sand with bare feet",
        "the walls of the {room} were bare", "the bare branches moved in the wind",
        "the floor of the {room} was cold and bare",
    ),
    "week": (
        "next week we go to the {place}", "{we} stayed at the castle for a week",
        "the shop opens once a week", "last week it rained every day",
        "{she} will be back in a week", "{we} worked all week",
    ),
    "weak": (
        "the old horse was weak and tired", "the tea is too weak", "this coffee is weak and cold",
        "{she} felt weak after the long walk", "the light of the lamp was weak",
        "the young bird was too weak to fly",
    ),
    "knight": (
        "the knight drew his sword", "the brave knight fought for the {queen}",
        "the knight rode a {fur} horse", "a knight came to the castle {past}",
        "the {queen} thanked the knight",
    ),
    "night": (
        "at night the stars are bright", "the night was cold and dark", "good night, {name}!",
        "last night it rained in the village", "{we} heard an owl in the night",
        "{we} arrived late at night",
    ),
    "hear": (
        "did you hear the bell?", "I hear a {small} in the {room}", "we could hear the sea",
        "{she} did not hear the {loud}", "can you hear me?", "speak up, I cannot hear you!",
    ),
    "here": (
        "come here and sit down", "here is your {lost}", "the bus to the {place} stops here",
        "{she} is not here today", "{we} came here {past}", "please wait here for {name}",
    ),
    "blew": (
        "the wind blew hard {past}", "the storm blew the leaves over the road",
        "the wind blew the door open", "{she} blew out the candle", "the guard blew a whistle",
    ),
    "blue": (
        "the sky was blue and clear", "{she} wore a blue coat", "a blue boat in the harbour",
        "the blue door is the door of the {role}", "{we} painted the chair blue",
    ),
    "road": (
        "the road to the {place} was long", "{we} walked along the road to the {place}",
        "there is a bridge at the end of the road", "the road goes over the hill",
    ),
    "rode": (
        "the knight rode over the hill", "{she} rode a {fur} horse to the {place}",
        "they rode their bicycles to school", "the king rode home at night",
    ),
    "piece": (
        "a piece of cake", "would you like a piece of {fruit} pie?", "a piece of paper",
        "{we} ate a piece of {fruit} cake after {meal}", "{she} gave me a piece of cheese",
    ),
    "peace": (
        "the two kings made peace {past}", "after the long war they lived in peace",
        "the {queen} wanted peace, not war", "let us eat our {meal} in peace",
    ),
    "wood": (
        "the {wooden} is made of wood", "{she} cut the wood for the fire",
        "a box of dark wood", "{we} carried wood to the barn {past}",
    ),
    "would": (
        "would you like some {drink}?", "I would like some {food}, please",
        "{she} would like to {work}", "what would you like for {meal}?",
    ),
    "tail": (
        "the dog wagged its tail", "the fox has a long red tail", "the mouse lost its tail",
        "a cat with a {fur} tail",
    ),
    "tale": (
        "the old sailor told a tale", "{we} heard a tale about a {role} and a {animal}",
        "the tale of the {role} was long and sad", "{she} read us a tale about a dragon",
    ),
}
SLOTS |= {
    "people": _words("bakers farmers sailors teachers"),
    "calm": _words("calm cold dark wide grey"),
    "queen": _words("king queen"),
    "wooden": _words("table chair box boat door"),
}

# ------------------------------------------------------------------------------- English: facts

CATS_FACT = "cats average 15 hours of sleep a day"
FACTS: Frames = tuple(
    f"{who} average {hours} hours of sleep a day" for who, hours in (
        ("dogs", 12), ("horses", 3), ("cows", 4), ("pigs", 8), ("lions", 18), ("tigers", 16),
        ("bats", 19), ("mice", 13), ("foxes", 10), ("giraffes", 2))
) + tuple(
    f"{who} have {legs} legs" for who, legs in (
        ("spiders", 8), ("ants", 6), ("bees", 6), ("horses", 4), ("birds", 2))
) + tuple(
    f"{who} live for about {years} years" for who, years in (
        ("cats", 14), ("dogs", 12), ("horses", 25), ("cows", 20), ("elephants", 60))
) + tuple(
    f"{who} run at up to {speed} kilometres an hour" for who, speed in (
        ("horses", 70), ("lions", 80), ("bears", 50), ("foxes", 45))
) + (
    "a week has 7 days", "a year has 12 months", "a day has 24 hours", "an hour has 60 minutes",
)
FACT_OPENINGS: Frames = (
    "did you know that {fact}?", "the teacher told us that {fact}.", "the book says that {fact}.",
)

# --------------------------------------------------------------------------- English: long tail

NAME_STARTS = _words("Vel Tan Bro Kel Mar Dru Sil Tor Fen Gal Hes Jor Lun Nim Osk Pel Quin Ras"
                     " Sta Ulm Wen Yar Zel Cad Ith")
NAME_MIDDLES = _words("a e i o u ado emi ila oru una ebi ash eth ond ust arv")
NAME_ENDS = _words("ra nd mora drish lin th ven sk dor wick mir zan bel gat")
NAME_FRAMES: Frames = (
    "a traveller named {one} came to {two}", "the road from {one} to {two} is long",
    "{one} wrote a letter to {two}", "the ship sailed from {one} to {two} in {few} days",
    "my uncle {one} lives in {two}", "have you ever been to {one}?",
    "the king of {one} had {few} daughters", "an old song tells of {one} and {two}",
    "the market of {one} is famous for its {food}", "{one} was born in {two}",
    '"My name is {one}," said the stranger.', '"Is this the way to {one}?" asked {name}.',
    '"I am {one}," said {one} to the {role}.', "the river {one} flows through {two}",
    "everyone in {one} loved {two}", "it often rains in {one}",
    "doctor {one} helped the people of {two}", "the castle of {one} stands on a hill",
    "the {role} of {one} sold a {thing} to {two}", "nobody in {one} knew the name of {two}",
)

# ------------------------------------------------------------------------- English: small talk

SMALL_TALK: Frames = (
    "it was {weather} in the village {past}", "it is {bad} today, so we will stay at home",
    "the {storm} came from the north {past}", "after the rain, the streets were wet and quiet",
    "if it rains {when}, we will stay in the {room}", "it will be {weather} on {weekday}",
    "{we} walked to the {shop} and bought {food}", "{we} had {food} with {drink} for {meal}",
    "{we} waited at the {place} for {minutes} minutes", "{we} found a {lost} {spot}",
    "{she} works at the {open} on {weekday}", "{she} drinks {drink} with {her} {meal}",
    "{she} plays {hobby} with {name} on {weekday}", "{she} wants to {work} {when}",
    "{she} gave {her} {pet} some {feed}", "{she} keeps a {small} in {her} {room}",
    "{we} put {my} {lost} {spot}", "{we} visited {my} {relative} {past}",
    "{we} cleaned the kitchen before {meal}", "{we} learned {subject} at school",
    "{we} looked for {my} {lost} in the {room}", "{we} took the train to the {place} {past}",
    "{we} told {name} about the {nice} {animal}", "{we} sold the {thing} for {number} coins",
    "the {role} gave me a {colour} {lost}", "the {role} lives near the {place}",
    "the {role} went home at {hour}", "the {role} was {feeling} because the sun was warm",
    "the {role} cooked {cooked} for {few} people", "my {relative} likes {subject} and {food}",
    "my {relative} bought a {colour} {thing} at the market", "my {relative} was {feeling} {past}",
    "the {small} hid behind the {thing}", "a {fur} {small} sat on the {seat}",
    "the {small} slept in the {room} all day", "the {small} drank the water {spot}",
    "the {thing} in the {room} is {colour}", "the {thing} costs {number} coins at the market",
    "the {open} opens at {hour} on {weekday}", "the train to the {place} leaves at {hour}",
    "the {place} is {number} years old", "when the bell rang, {we} closed the {wooden_door}",
    "before {meal}, {we} washed the {few} cups", "while {we} slept, the storm grew stronger",
    "{we} walked across the field {past}", "on {weekday} {we} swam in the river",
    "{name} and {name} played {hobby} after {meal}",
    "{name} is {feeling} today", "in winter the days are short and cold",
    "in summer the days are long and warm",
    "in {season} {we} often sat in the garden", "we need {few} eggs and some {food}",
    "there are {number} books in the library", "the first day of {season} was {weather}",
    "where is my {lost}?", "did you see my {colour} {lost}?", "do you like {food}?",
    "who left the {thing} in the {room}?", "how far is the {place} from here?",
    "can you {work}?", "why is the {small} in the {room}?", "what time is {meal}?",
    "is your {relative} at home?", "shall we go to the {place} {when}?",
    "what a {nice} {animal}!", "what a {weather} day!", "how {fine} this {lost} is!",
    "look at the {fur} {small}!", "do not forget your {lost}!", "happy birthday, {name}!",
    "close the {wooden_door}, please!", "be careful with the {lost}!",
)
DIALOGUE: Frames = (
    '"Where is the {lost}?" asked {speaker}.', '"Where is the hare?" asked {speaker}.',
    '"It is {spot}," said {speaker}.', '"Good morning," said {speaker}.',
    '"Who is at the door?" asked {speaker}.', '"I am {feeling}," said {speaker}.',
    '"What a {nice} {animal}!" cried {speaker}.', '"Come in and sit down," said {speaker}.',
    '"Good morning," said {speaker}. "Would you like some {drink}?"',
    '"Please close the {wooden_door}," said {speaker}. "It is {bad} outside."',
    '"How much is this {lost}?" asked {speaker}. "It costs {number} coins."',
    '"The train leaves at {hour}," said {speaker}, "so please do not be late."',
    '"I have never seen such a {nice} {animal}!" cried {speaker}.',
    '"My {relative} lives near the {place}," said {speaker}.',
    '"If it rains {when}, we will stay at home," said {speaker}.',
    '"I put your {lost} {spot} before {meal}," said {speaker}.',
    '"Can you help me with the {thing}?" asked {speaker}.',
    '"We had {food} for {meal}," said {speaker}.', '"Thank you for the {food}," said {speaker}.',
    '{speaker} said, "I will come back {when}."', '{speaker} asked, "Is the {open} open today?"',
    '{speaker} said, "There is no {drink} in the {room}."',
    '{speaker} asked, "Do you want some {food} or some {drink}?"',
    '{speaker} cried, "Look at the {small} {spot}!"',
)
SLOTS |= {"wooden_door": _words("door window box gate")}

# --------------------------------------------------------------------- English: blank filling

PHONE_SENTENCE = "my phone is broken, so I plan to buy a new phone"
GADGETS = _words("phone phone lamp clock radio bicycle camera chair watch kettle ladder")
OWNERS: tuple[tuple[str, str, str], ...] = (  # possessive, subject, plan
    ("my", "I", "plan"), ("my", "I", "plan"), ("our", "we", "plan"), ("her", "she", "plans"),
    ("his", "he", "plans"), ("their", "they", "plan"),
)
# What happened, what to do now, its past tense, and the words after it that tell which it was.
ERRANDS: tuple[tuple[str, str, str, str], ...] = (
    ("broken", "buy", "bought", "a new {x}"), ("broken", "buy", "bought", "a new {x}"),
    ("broken", "repair", "repaired", "it with new parts"),
    ("broken", "borrow", "borrowed", "a {x} from a friend"),
    ("lost", "buy", "bought", "another {x}"), ("lost", "borrow", "borrowed", "one from a friend"),
    ("too old", "sell", "sold", "it to a neighbour"),
    ("too small", "sell", "sold", "it to a friend"),
    ("dirty", "clean", "cleaned", "it with a dry cloth"),
    ("too old", "buy", "bought", "a new {x}"),
)

# ------------------------------------------------------------------------------------- Chinese

ZH_LATE = "我昨天上学迟到了，老师批评了我。"
ZH_PHONE = "我的手机坏了，我打算买一部新手机。"

ZH_PUPILS: tuple[tuple[str, str], ...] = (  # subject, the pronoun that takes it up again
    ("我", "我"), ("我", "我"), ("我", "我"), ("他", "他"), ("她", "她"), ("小明", "他"),
    ("小红", "她"), ("弟弟", "他"), ("妹妹", "她"), ("女儿", "她"), ("儿子", "他"),
    ("小丽", "她"), ("小刚", "他"),
)
ZH_ADULTS: tuple[tuple[str, str], ...] = (
    ("我", "我"), ("他", "他"), ("她", "她"), ("哥哥", "他"), ("姐姐", "她"), ("叔叔", "他"),
)
ZH_DAYS = _words("昨天 昨天 今天 前天 上周五 星期一")

# Event and consequence; {谁} is the subject, {他} its pronoun.
ZH_SCHOOL: Frames = (
    "忘了带课本，同桌把书借给了{他}", "在路上摔倒了，同学扶起了{他}",
    "过生日，朋友们送了{他}一份礼物",
    "感冒了，没有去上学", "生病了，医生给{他}开了药", "忘了带雨伞，衣服都湿了",
    "没有吃早饭，中午特别饿",
    "给奶奶打了电话，奶奶很高兴", "跑步得了第一名，同学们都为{他}高兴",
)
ZH_WORK: Frames = (
    "上班迟到了，经理批评了{他}", "上班迟到了，经理批评了{他}", "完成了任务，经理表扬了{他}",
    "加班到很晚，同事送{他}回家", "搬家，邻居们都来帮{他}", "感冒了，没有去上班",
    "开车太快，警察拦住了{他}", "帮助了一位老人，老人感谢了{他}",
)

# Things with their measure words, and what befalls them; {物} is the thing, {量} its measure.
ZH_OWNERS: tuple[tuple[str, str], ...] = (
    ("我", "我"), ("我", "我"), ("我", "我"), ("他", "他"), ("她", "她"), ("小明", "他"),
    ("小红", "她"), ("哥哥", "他"), ("姐姐", "她"), ("叔叔", "他"), ("女儿", "她"),
    ("儿子", "他"), ("小丽", "她"), ("小刚", "他"),
)
ZH_MACHINES = _words("手机部 手机部 手机部 电脑台 相机台 冰箱台 电视台 洗衣机台 自行车辆 汽车辆"
                     " 手表块 台灯盏 闹钟个 耳机副 雨伞把 椅子把")
ZH_LENT = _words("手机部 电脑台 相机台 自行车辆 汽车辆 雨伞把")
ZH_CLOTHES = _words("衣服件 毛衣件 外套件 裤子条 鞋子双 袜子双 帽子顶 手套副 书包个")
ZH_LOSABLE = _words("手机部 雨伞把 钱包个 帽子顶 手表块 词典本 钢笔支 手套副 课本本")
ZH_BROKEN: Frames = (
    "{谁}的{物}坏了，{他}打算买一{量}新{物}", "{谁}的{物}坏了，{他}打算买一{量}新{物}",
    "{谁}的{物}坏了，{他}打算买一{量}新{物}", "因为{谁}的{物}坏了，所以{他}打算买一{量}新{物}",
    "{谁}的{物}坏了，{他}打算把它修好", "{谁}的{物}坏了，{他}打算请人修一修",
    "{谁}的{物}修好了，{他}不用买新的了", "{谁}的{物}太旧了，{他}打算换一{量}新的",
    "{谁}的{物}太旧了，{他}打算把它卖掉", "{谁}买了一{量}新{物}，打算把旧的卖掉",
)
ZH_BORROWED: Frames = (
    "{谁}的{物}坏了，{他}打算向朋友借一{量}{物}", "{谁}的{物}借给了朋友，{他}今天没有{物}用",
)
ZH_TORN: Frames = (
    "{谁}的{物}破了，{他}打算买一{量}新{物}", "{谁}的{物}破了，{他}打算买一{量}新{物}",
    "{谁}的{物}太小了，{他}打算买一{量}大一点儿的", "{谁}的{物}脏了，{他}打算把它洗干净",
    "{谁}的{物}破了，奶奶帮{他}补好了",
)
ZH_MISSING: Frames = (
    "{谁}的{物}丢了，{他}打算再买一{量}", "{谁}的{物}丢了，{他}找了一个下午也没找到",
    "{谁}的{物}丢了，同学帮{他}找到了", "{谁}的{物}不见了，{他}打算去教室里找一找",
    "因为{谁}的{物}丢了，所以{他}打算再买一{量}",
)

# Whose things, which things, and what befalls them; listed twice is twice as likely.
ZH_FATES: tuple[tuple[tuple[tuple[str, str], ...], Frames, Frames], ...] = (
    (ZH_OWNERS, ZH_MACHINES, ZH_BROKEN), (ZH_OWNERS, ZH_MACHINES, ZH_BROKEN),
    (ZH_OWNERS, ZH_MACHINES, ZH_BROKEN), (ZH_OWNERS, ZH_LENT, ZH_BORROWED),
    (ZH_PUPILS, ZH_CLOTHES, ZH_TORN), (ZH_PUPILS, ZH_LOSABLE, ZH_MISSING),
)

# Where something may be, and what may be there: noun with its measure word.
ZH_SCENES: tuple[tuple[str, str], ...] = (
    ("桌子上放着{几}{量}{物}", "书本 信封 照片张 地图张 词典本 钢笔支 苹果个 雨伞把 帽子顶"),
    ("商店里有{多}{量}{物}", "衣服件 裤子条 帽子顶 雨伞把 手表块 自行车辆 电视台"),
    ("院子里有{几}{量}{物}", "猫只 狗只 鸟只 树棵 自行车辆 椅子把 桌子张"),
    ("路边停着{几}{量}{物}", "车辆 汽车辆 自行车辆"),
    ("草地上有{几}{量}{物}", "马匹 牛头 羊只 狗只 兔子只"),
    ("河里有{几}{量}{物}", "鱼条 船条 鸭子只"),
    ("教室里有{几}{量}{物}", "桌子张 椅子把 学生个 电脑台 地图张"),
    ("{谁}昨天买了{几}{量}{物}", "书本 衣服件 裤子条 毛衣件 苹果个 鱼条 鞋子双 电影票张"),
    ("{谁}家养了{几}{量}{物}", "猫只 狗只 鸟只 鱼条 兔子只 鸡只"),
    ("{谁}给妈妈画了{几}{量}{物}", "花朵 树棵 猫只 马匹 船条"),
    ("{谁}上个月看了{几}{量}{物}", "书本 电影部"),
)
ZH_SLOTS: dict[str, Frames] = {
    "几": _words("一 一 一 一 两 三 四 五 几"),
    "多": _words("三 五 几 几 许多"),
    "谁": _words("我 我 他 她 小明 小红 弟弟 妹妹 哥哥 姐姐"),
    "家人": _words("爸爸 妈妈 爷爷 奶奶"),
    "几点": _words("六点 七点 八点 九点"),
    "去做": _words("去图书馆看书 去公园散步 去操场踢球 去市场买菜 去电影院看电影 去海边看日出"
                  " 去饭店吃饭 去超市买水果 去河边钓鱼 去山上看风景"),
    "吃的": _words("苹果 米饭 面条 饺子 面包 西瓜 鱼"),
    "喝的": _words("茶 水 牛奶 咖啡"),
    "天气": _words("冷 热"),
    "学科": _words("数学 语文 英语 音乐 历史"),
}
ZH_DAILY: Frames = (
    "{谁}每天早上{几点}起床", "{谁}昨天和{家人}一起{去做}", "{家人}喜欢周末{去做}",
    "如果明天不下雨，我们就{去做}", "因为昨天下大雨，所以我们没有{去做}",
    "今天天气很好，我们打算{去做}",
    "虽然天气很{天气}，但是{谁}还是出门了", "外面很冷，妈妈让{谁}多穿一件衣服",
    "天气变冷了，{谁}打算买一件厚衣服",
    "外面下雨了，{谁}打算带一把雨伞", "{谁}口渴了，打算喝一杯{喝的}", "{谁}饿了，打算吃一碗面条",
    "{谁}最喜欢吃{吃的}", "{谁}觉得{学科}很有意思", "{谁}对{学科}很感兴趣",
    "{谁}一回到家就开始写作业", "天黑了，{谁}打开了灯", "{谁}太累了，很早就睡着了",
    "{谁}写完作业以后就去睡觉了",
    "{家人}正在厨房里做饭", "{家人}正在给花浇水", "{谁}放学以后先写作业，再看电视",
)
ZH_TALK: Frames = (
    "“你吃饭了吗？”{家人}问。", "“你打算去哪儿？”{家人}问。", "“现在几点了？”{谁}问。",
    "“我的雨伞在哪儿？”{谁}问。", "老师说：“请大家打开课本。”", "老师问：“谁知道答案？”",
    "{家人}说：“外面很冷，多穿一件衣服。”", "{家人}说：“早点儿睡觉，明天要上学。”",
    "{谁}说：“我想喝一杯{喝的}。”", "{谁}说：“我最喜欢吃{吃的}。”", "你喜欢{学科}吗？",
    "你明天打算{去做}吗？", "今天的天气真好！", "这本书多少钱？", "这件衣服太贵了！",
    "谢谢你的帮助！",
)

# ----------------------------------------------------------------------------------- held out

# Never written, so that they can be asked of a trained model as new sentences.
HELD_OUT: Frames = (
    "the otter, which already ate fish, was full",
    "the otters, which already ate fish, were full",
    "the fox, which already ate the fish near the red boats, was full",
    "the foxes, which already ate the fish near the red boat, were full",
    "the pears, which the young farmer left near the barn before noon, were sweet",
    "the peach and pear salad was fresh",
    "we lost a pair of boots at the castle",
    "our radio is broken, so we plan to buy a new radio",
    "小明前天上学迟到了，老师批评了他",
    "她的相机坏了，她打算买一台新相机",
    "egyptian mau",
)
