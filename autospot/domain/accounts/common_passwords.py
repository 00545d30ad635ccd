"""The words and finger walks that password guessers begin with.

Chosen from the heads of the published lists of leaked passwords: words of four letters and more that people decorate
with digits and signs to reach eight characters. `password.py` undoes the decoration, so each word here stands for the
thousands of its variants.
"""

from __future__ import annotations

KEYBOARD_WALKS = (
    "12345678901234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "1a2b3c4d5e6f7g8h9i0j",
    "a1b2c3d4e5f6g7h8i9j0",
    "147258369",
    "741852963",
    "789456123",
    "321654987",
    "159753",
    "951357",
    "0246813579",
    "1357924680",
    "йцукенгшщзхъ",
    "фывапролджэ",
    "ячсмитьбю",
)
"""Rows, columns and number pads of common keyboards, and counting. Read in both directions."""

_WORDS = """
aaaa abcd access account action adidas admin adminadmin administrator adrian airborne alaska albert alex alexande
alexander alexandra alexis alice alicia alison allison alpha amanda america american anderson andrea andreas andrew
angel angela angels animal anthony antonio apollo apple apples april arizona arnold arsenal arthur asdf ashley asshole
august austin autospot avalon avatar awesome azerty baby babygirl badass badboy badger bailey baller banana bandit
barbara barcelona barney baseball basketball batman baxter bayern beach bear beatles beautiful beaver beavis benjamin
berlin bigboy bigdaddy bigdog bigred billy birdie bishop bismillah bitch black blackberry blahblah blaster blazer
blessed blink blowme blue bond bonjour bonnie booboo booger boogie boomer boston brandon brandy braves brazil brian
brittany bronco broncos brooke brooklyn brownie bubba bubbles buddha buddy budlight buffalo bulldog bulldogs bullet
bullshit burton buster butter butterfly butthead california calvin camaro cameron canada captain cardinal carlos
carmen carolina caroline carpark carter cartman casino casper cassie celtic champion chance changeit changeme
changethis charles charlie charlotte cheese chelsea cherokee cherry chester chevelle chevrolet chicago chicken
chocolat chocolate chopper chris christ christian christin christina christine christopher chrome cisco claire classic
claudia cleopatra cocacola coffee college colorado columbia compaq computer connor cookie cookies cooper copper
correcthorsebatterystaple corvette cougar country courtney cowboy cowboys crazy creative cricket cristina crystal
cupcake cutie daddy daisy dakota dallas dancer danger daniel daniela danielle darkness darkside database david death
december default delta demo demodemo denise dennis denver desktop destiny deutschland dexter diablo diamond dickhead
diesel digital disney doctor doggie dolphin dolphins domino donald donkey dortmund douglas dragon dragonball dreamer
dreams driver drowssap drummer ducati duncan eagle eagles eclipse edward einstein electric elephant elizabet elizabeth
emily eminem emmanuel empire england enigma enter enterprise eric ericsson eternity eugene everton everything example
excalibur explorer extreme facebook faith falcon family fantasy favorite february felix fender fernando ferrari
firebird fireman fisher fishing fktrcfylh flamengo florida flower flowers fluffy flyers football ford foreigner forest
forever fortnite france francis francisco frank frankie franklin freddy free freedom freeuser friday friend friends
froggy fuck fucker fucking fuckme fuckoff fuckyou fussball galina gandalf garage garfield gateway gators geheim gemini
general genesis genius george georgia germany gfhjkm ghbdtn giants gibson ginger giovanni girls goblue godzilla golden
golf golfer goober good goodluck google gordon green gregory guest guinness guitar gunner gustavo hahaha hallo hamburg
hammer hannah happy harbour hardcore harley harrypotter hawaii heather heaven hello helloworld helpme hendrix hercules
hesoyam hiphop hitman hobbes hockey holiday homer honda honey hongkong hooters horses hotdog hotrod house houston
howard hunter iceman ihateyou ilove ilovegod iloveu iloveyou indian indiana infinity internet ireland ironman isabella
isabelle italia jack jackass jackie jackson jaguar jake jamaica james january jasmine jason jasper jeffrey jennifer
jeremy jessica jessie jester jesus jesuschrist joanna johnny johnson jonathan jordan joseph joshua juice julian july
june junior jupiter justice justin juventus karina katherine kawasaki kelly kennwort kermit kevin killer kimberly king
kirill kissme kitten kitty knight kristina lacrosse lakers lalala lasvegas lauren legend leslie letmein liberty
lifehack little liverpoo liverpool lizard login logitech london louise love lovelove lovely loveme lover loverboy
lovers loveyou lucky maddog madison madmax madonna maggie magic magnum manchester manutd marcus maria marina marine
marines marlboro marley marseille marshall martin marvin mary maryjane master matrix matthew maverick maximus maxwell
melanie melissa member mercedes mercury merlin metallic metallica mexico michael michelle michigan mickey microsoft
midnight miller minecraft mitchell molly monday money monica monkey monster montana mookie moonlight morgan mother
motorola mountain mozart muffin murphy music mustang mypassword myspace naruto nascar natalie natasha nathan naughty
ncc1701 nelson nemesis newpass newpassword newport newyork nicholas nicole nikita nintendo nirvana nissan nothing
november october office oksana oliver olivia online operator orange overlord packers paintball pakistan pamela panther
panthers paradise paris parker parkhaus parking parkinglot parkplatz parole pass passion passport passwd password
passwordpassword passwords passwort patches patricia patrick patriots peaches peanut pearljam peekaboo penguin pepper
peter phantom phoenix phpbb pikachu pimpin pirate platinum playboy player playstation please pokemon police polina
poohbear pookie popcorn porsche portugal power predator pretty prince princesa princess private psycho pumpkin purple
pussy qazwsx qwaszx qwer qwert qwerty qwertyuiop rabbit rachel racing raider raiders rainbow ranger rangers raptor
rascal rebecca reddog redrum redskins redsox redwings reggie register richard robert rocket rocky roland rolltide
romania ronaldo rooster root rootroot rosebud runner ruslan russell russia sabrina saints salasana samantha sammy
samson samsung samuel sandman sandra saturn savannah scarface schalke schatz school scooby scooter scorpio scorpion
scotland scott secret secrets secure security senator senha sergey service sexy shadow shannon sharon shelby shithead
shorty sierra silver simple simpson simpsons skipper skippy skyline slayer slipknot smith smokey smooth snickers
sniper snoopy snowball soccer softball sommer sonnenschein sophia sophie spanky sparky speedy spencer spider spiderma
spiderman spirit spitfire spongebob spooky spring stalker stanley stargate starlight startrek starwars steelers stella
stephanie stephen steven stinky student stupid sublime success summer sunflower sunshine super superman superstar
supervisor support surfer suzuki svetlana sweet sweetheart sweety swordfis swordfish sydney symantec system taylor
teacher telefon teresa test tester testing testpass testtest thebest theking theman therock thomas thumper thunder
tiffany tigers tigger timothy tinker tinkerbell titanic tomcat tommy topgun toyota travis trinity trouble trustno
trustnoone tucker turtle tweety unicorn united universal user username valentina vampire vanessa vegeta veronica
victor victoria victory viking vikings vincent viper virginia virus vision vladimir volkswagen voodoo voyager walker
walter warcraft warrior webmaster welcome westside whatever wildcat wildcats william williams willow windows winner
winston winter wizard wolfpack wolverin wolverine wombat xavier xbox yamaha yankee yankees yellow yfnfif youtube
zachary zombie zxcv
"""

COMMON_WORDS = frozenset(_WORDS.split())
"""In lower case. Words of eight letters that are cut off are here because old systems cut them; `carpark` and `parking`
because of what this product is."""
