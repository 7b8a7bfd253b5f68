using System.Collections.Frozen;

namespace AgentMesh.Protocol.Pairing.Codes;

/// <summary>
/// The words of codes: short, plain, told apart by ear. None becomes another by one letter that is changed, added, left out or swapped with its neighbour, so that
/// a slip is noticed before it costs the code. A word's number is on the wire and in codes that people hold: the list of version 1 never changes.
/// </summary>
internal static class CodeWords
{
    public const int Count = 1024;

    private static readonly string[] Words = """
        abacus academy acorn actor adult agent airplane airport album alert almond alpine amber anchor angel animal
        ankle antelope anthem apple apron aquarium arena armchair armor arrow artist ash aspen astronaut atlas attic
        aunt autumn avenue axle baby backpack badge badminton bagel baker balcony ball ballet bamboo banana banjo
        banner barbecue barber baron barrel baseball basin basket bathtub beacon bean beard beaver bed bedroom beetle
        belt bench bike binder bingo biology birch bird biscuit bison blank blanket blizzard blossom blue body
        bonfire bonus bookmark boot border bottle bottom boulder bowl boxer bracelet branch brass brave bread breakfast
        breeze brick bridge broadcast broccoli bronze brook brother brown brush bubble bucket buckle buffalo bugle builder
        bulb bulldog bunny burger bus butter butterfly button buttress cabbage cabin cable cactus calcium calendar calf
        camel camera camp campfire canal candy canoe canvas canyon capital captain caravan card cardinal cargo carnival
        carpet carton cashew castle cat cathedral cave cedar ceiling celery cellar cement century cereal chain chalk
        champion channel chapter charm cheek cheese chemist cherry chest chestnut chicken chief child chimney chip choir
        cinema cinnamon circle circus citizen city clarinet clarity classic clay clerk cliff clinic cloud clover clown
        club coach coast cobra cocoa coconut code coffee coin collage colony color comb comet comic compass
        compost concert concrete cook cookie copper coral corner corridor cottage cotton cougar country court cousin cow
        coyote crab cradle craft cranberry crane crater crayon cream cricket crimson crocus crumb crystal cube cucumber
        cup cupboard curry curtain curve cushion cycle cyclone daffodil daisy dancer dawn daylight decade deer delta
        denim dentist desert desk diagram diamond diary dinner dinosaur discovery doctor doll dollar dolphin domino donkey
        door doorbell dough dove dragon dragonfly drama drawer dress driftwood drill driver drum duck dune dust
        dwarf eagle earring earth earthling east echo eclipse editor eel egg eggplant eight elbow elder election
        elephant elevator elm emerald emperor empire engine envelope epic equal equator espresso evening exhibit explorer eye
        eyebrow fabric face factory fairy falcon family farm farmer fence fern ferry festival field fig film
        finch fire firefly fireplace fish fisherman flag flamingo flask fleet flint flock flour flower fluid flute
        foam folder forest fork forklift fortune forum fossil fountain fox fracture frame freckle friend frog frost
        fruit fur furniture gadget galaxy gallery garage garden gardener garlic garment gate gazelle gecko gem genius
        geyser giant ginger giraffe glacier glade gladiator glass globe glow goat goblet gold gondola goose gorilla
        grain granite grape grapevine graphite gravel gravy green grid grocer grove guard guest guide guitar gull
        gymnast habit hail hairbrush hammer hamster handbag handle harbor hare harmonica harvest hawk hazel head headline
        heart heaven hedge hedgehog helmet hen heron highway hinge hippo hobby hockey holiday hollow honey hood
        horizon hornet horse hospital hotel hour hunter hurdle hurricane husky hut iceberg icon idea igloo index
        infant inkwell insect iris island item ivory ivy jackpot jaguar jam jasmine jazz jeans jelly jellyfish
        jersey jewel jigsaw joke journal judge juice jumbo jungle junior jury kayak kernel kettle key keyboard
        kid king kiosk kitchen kite kiwi knee knight knot koala label ladder lady lake lamb lantern
        laptop larch lasso laundry lava lavender lawyer leather lemon lens lentil leopard letter lettuce lever library
        lilac lily lime linen lion lizard llama loaf lobster locker log lotus lumber lunch lynx lyric
        machine magnet magpie mammal mango mansion manual maple marble margin marina market maroon mask mason master
        meadow medal melody melon member memory menu meteor metro midday mill mineral mirror mist mitten model
        mole moment monarch month moon morning mosaic moss mother motor mouse movie mud muscle museum music
        mustard myth name napkin nation nature navy nebula neck nectar needle nephew nickel noodle north nose
        notebook novel nugget nurse nylon oar oasis object ocean octopus office olive omelet onion opera orange
        orbit orchard orchid organ origin osprey ostrich otter oval oven owner oxygen oyster page palace palm
        pan panda panel panther papaya paper parade parcel parent park parrot parsley partner party pasta pastry
        path patio peach peacock peanut pearl pebble pelican pencil penguin penny pepper perfume person petal phone
        photo piano picnic picture pigeon pilot pink pioneer pipe pirate pitch pizza planet plate player plaza
        plum pluto pocket poem police polo pond poplar poppy porch port possum poster potato pottery powder
        prairie present prince print prism prize pudding puddle puffin pulley puma pumpkin puppet purple puzzle pyramid
        quail quarry quartz queen quill quiver rabbit raccoon racket radar radio radish raisin ranger raven razor
        recipe record reef relay reptile resort ribbon rice riddle rider road robe robin robot rodeo roof
        rowboat royal rubber ruby rug ruler runner rustic saddle safari sailor salad salmon salt samba sand
        sandal sapphire satin sauce sauna sausage scale scarf scholar school science scooter scout screen screw seal
        season second secret seed senator seven shadow shampoo shark sheep shell shelter sheriff shield shirt shop
        shore shovel shower shrimp shrub sign signal silk silver siren sister six skate sketch skunk sky
        sleeve slipper sloth smile smoke snack snail snake snow soap soccer sock sofa soil soldier sonar
        song sonnet south spade sparrow speaker spear sphere spice spider spinach spiral sponge spoon sprout spruce
        square squid squirrel stable stadium staff stage stair stamp starfish station statue steak steel step stereo
        stone stool stork straw stream street string studio subway sugar suit summer summit sun sunset surf
        swallow swan sweater swing syrup tablet talent tank tape target tavern taxi teacher team teapot temple
        tennis tent terrace theater thimble thistle thorn thread thumb thunder ticket tiger tile timber tin toaster
        token tomato tongue tooth tornado tortoise toucan tower town toy track tractor trail tray treasure tree
        triangle trio trombone trophy trout trumpet trunk tuba tulip tundra tunnel turban turkey turnip turtle tuxedo
        twig typhoon umbrella uncle unicorn uniform urchin utensil vacuum valley valve vanilla vapor vase vault veil
        velvet verb vest village vine vinegar vineyard violet violin viper visitor voice volcano volume voyage vulture
        waffle wagon walker walnut walrus washer wasp watch water wax weasel wedding weekend whale wheat wheel
        whisker wick widget willow wind window winter wolf wombat wool worker world worm wreath wren wrist
        writer yacht yarn year yellow yeti yoga yogurt yolk zebra zenith zero zigzag zinc zipper zone
        """.Split([' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries);

    private static readonly FrozenDictionary<string, int> Numbers =
        Words.Index().ToFrozenDictionary(word => word.Item, word => word.Index, StringComparer.OrdinalIgnoreCase);

    public static string At(int number) => Words[number];

    public static bool TryFind(string word, out int number) => Numbers.TryGetValue(word, out number);
}
