using Akka.Configuration;
using Akka.Configuration.Hocon;

namespace AgentMesh.EngineTests.Configuration;

public sealed class HoconTests
{
    [Fact]
    public void Comments_separators_and_braces_are_optional_as_specified()
    {
        Config config = ConfigurationFactory.ParseString("""
            # a comment
            a = 1 // another
            b : two words   # and one behind
            c { d = 3, e = 4 }
            c.f = 5,
            g {
              h = "quoted # no comment"
            }
            """);

        Assert.Equal(1, config.GetInt("a"));
        Assert.Equal("two words", config.GetString("b"));
        Assert.Equal((3, 4, 5), (config.GetInt("c.d"), config.GetInt("c.e"), config.GetInt("c.f")));
        Assert.Equal("quoted # no comment", config.GetString("g.h"));
    }

    [Fact]
    public void Json_is_a_subset()
    {
        Config config = ConfigurationFactory.ParseString("""{ "listenPort": 14590, "peers": [ { "host": "127.0.0.1", "port": 1 }, {"host":"b","port":2} ], "on": true, "none": null, "text": "a\"b\n\u0041" }""");

        Assert.Equal(14590, config.GetInt("listenPort"));
        Assert.Equal("b", config.GetValue("peers")!.GetArray()[1].GetChildObject("host")!.GetString());
        Assert.True(config.GetBoolean("on"));
        Assert.Equal("a\"b\nA", config.GetString("text"));
        Assert.Null(config.GetString("none"));
    }

    [Fact]
    public void Later_objects_merge_and_later_values_replace()
    {
        Config config = ConfigurationFactory.ParseString("a { b = 1, c = 2 }\na { b = 3 }\na.d = 4\nx = 1\nx = { y = 2 }\nz { y = 1 }\nz = 5");

        Assert.Equal((3, 2, 4), (config.GetInt("a.b"), config.GetInt("a.c"), config.GetInt("a.d")));
        Assert.Equal(2, config.GetInt("x.y"));
        Assert.Equal(5, config.GetInt("z"));
        Assert.False(config.HasPath("z.y"));
    }

    [Fact]
    public void Arrays_join_and_grow()
    {
        Config config = ConfigurationFactory.ParseString("a = [1, 2\n 3\n]\na += 4\nb = [a] [b, c]\nc = ${a} [5]\nd += x");

        Assert.Equal([1, 2, 3, 4], config.GetIntList("a"));
        Assert.Equal(["a", "b", "c"], config.GetStringList("b"));
        Assert.Equal([1, 2, 3, 4, 5], config.GetIntList("c"));
        Assert.Equal(["x"], config.GetStringList("d"));
    }

    [Fact]
    public void Substitutions_take_the_last_definition_themselves_before_and_the_environment()
    {
        Environment.SetEnvironmentVariable("AGENTMESH_HOCON_TEST", "from outside");
        Config config = ConfigurationFactory.ParseString("""
            path = /usr
            path = ${path}":/bin"
            base { host = a, port = 1 }
            one = ${base} { port = 2 }
            text = "on "${base.host}" at "${one.port}
            outside = ${AGENTMESH_HOCON_TEST}
            absent = ${?NO_SUCH_VARIABLE_HERE}
            kept = 7
            kept = ${?NO_SUCH_VARIABLE_HERE}
            kept2 = 7
            kept2 = a ${?NO_SUCH_VARIABLE_HERE}
            base.host = b
            """);

        Assert.Equal("/usr:/bin", config.GetString("path"));
        Assert.Equal(("b", 2), (config.GetString("one.host"), config.GetInt("one.port")));
        Assert.Equal("on b at 2", config.GetString("text"));
        Assert.Equal("from outside", config.GetString("outside"));
        Assert.False(config.HasPath("absent"));
        Assert.Equal(7, config.GetInt("kept"));
        Assert.Equal("a ", config.GetString("kept2"));
    }

    [Fact]
    public void Quoted_keys_keep_their_dots()
    {
        Config config = ConfigurationFactory.ParseString("deployment { \"/a/*\" { n = 1 }, /b { n = 2 }, \"x.y\".z = 3 }");

        Assert.Equal(1, config.GetInt("deployment.\"/a/*\".n"));
        Assert.Equal(2, config.GetInt("deployment./b.n"));
        Assert.Equal(3, config.GetInt("deployment.\"x.y\".z"));
    }

    [Fact]
    public void Three_quotes_take_everything_as_it_is()
    {
        Config config = ConfigurationFactory.ParseString("a = \"\"\"one \"two\"\n\\n three\"\"\"\nb = 1");

        Assert.Equal("one \"two\"\n\\n three", config.GetString("a"));
        Assert.Equal(1, config.GetInt("b"));
    }

    [Theory]
    [InlineData("500", 0.5)]
    [InlineData("500ms", 0.5)]
    [InlineData("10s", 10)]
    [InlineData("1.5 seconds", 1.5)]
    [InlineData("2m", 120)]
    [InlineData("3 hours", 10800)]
    [InlineData("1d", 86400)]
    [InlineData("250 us", 0.00025)]
    public void Durations(string text, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), ConfigurationFactory.ParseString($"a = {text}").GetTimeSpan("a"));

    [Fact]
    public void An_infinite_duration_is_allowed_where_asked_for()
    {
        Config config = ConfigurationFactory.ParseString("a = infinite");

        Assert.Equal(Timeout.InfiniteTimeSpan, config.GetTimeSpan("a"));
        Assert.Throws<ConfigurationException>(() => config.GetTimeSpan("a", null, allowInfinite: false));
    }

    [Theory]
    [InlineData("512", 512)]
    [InlineData("512b", 512)]
    [InlineData("1kB", 1000)]
    [InlineData("1 KiB", 1024)]
    [InlineData("64k", 65536)]
    [InlineData("1.5M", 1572864)]
    [InlineData("10 megabytes", 10_000_000)]
    [InlineData("2GiB", 2147483648)]
    public void Sizes(string text, long bytes) => Assert.Equal(bytes, ConfigurationFactory.ParseString($"a = {text}").GetByteSize("a"));

    [Theory]
    [InlineData("on", true)]
    [InlineData("yes", true)]
    [InlineData("TRUE", true)]
    [InlineData("off", false)]
    [InlineData("no", false)]
    public void Booleans(string text, bool value) => Assert.Equal(value, ConfigurationFactory.ParseString($"a = {text}").GetBoolean("a", !value));

    [Theory]
    [InlineData("a = 1\nb = \"open", "line 2, column 5")]
    [InlineData("a {\n  b = 1\n", "line 1, column 3")]
    [InlineData("a = [1, 2", "line 1, column 5")]
    [InlineData("a = 1\nb 2\n", "line 2")]
    [InlineData("a = }", "line 1, column 5")]
    [InlineData("a = 1 }", "line 1, column 7")]
    [InlineData("a = ${b}", "line 1, column 5")]
    [InlineData("a = ${b}\nb = ${a}", "circle")]
    [InlineData("a = \"\\x\"", "escape")]
    [InlineData("a = { b = 1 } text", "joins")]
    [InlineData("= 1", "a key")]
    public void Errors_name_line_and_column(string text, string says) =>
        Assert.Contains(says, Assert.Throws<ConfigurationException>(() => ConfigurationFactory.ParseString(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_value_of_the_wrong_kind_names_its_path()
    {
        Config config = ConfigurationFactory.ParseString("a.b = many");

        Assert.Contains("a.b: 'many'", Assert.Throws<ConfigurationException>(() => config.GetInt("a.b")).Message, StringComparison.Ordinal);
        Assert.Contains("a.b: 'many'", Assert.Throws<ConfigurationException>(() => config.GetTimeSpan("a.b")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_missing_comes_from_the_fallback_and_then_from_the_default()
    {
        Config first = "a { b = 1 }", second = "a { b = 2, c = 3 }, d = 4", third = "e = 5";
        Config config = first.WithFallback(second).WithFallback(third);

        Assert.Equal((1, 3, 4, 5, 9), (config.GetInt("a.b"), config.GetInt("a.c"), config.GetInt("d"), config.GetInt("e"), config.GetInt("f", 9)));
        Config part = config.GetConfig("a")!;
        Assert.Equal((1, 3), (part.GetInt("b"), part.GetInt("c")));
        Assert.Null(config.GetConfig("nowhere"));
        Assert.True(config.GetConfig("nowhere").IsNullOrEmpty());
        Assert.Equal(["a", "d", "e"], config.AsEnumerable().Select(item => item.Key));
    }

    [Fact]
    public void The_printed_text_reads_as_the_same_values()
    {
        Config config = ConfigurationFactory.ParseString("a { \"b.c\" = \"x\\ny\", d = [1, \"two words\", { e = 1 }], f {} }\ng = null\nh = 10s");

        Config again = ConfigurationFactory.ParseString(config.ToString());

        Assert.Equal(config.ToString(), again.ToString());
        Assert.Equal("x\ny", again.GetString("a.\"b.c\""));
        Assert.Equal("two words", again.GetStringList("a.d")[1]);
        Assert.Equal(1, ConfigurationFactory.ParseString(ConfigurationFactory.ParseString("x = 1").WithFallback("y = 2").ToString(true)).GetInt("x"));
        Assert.Equal(2, ConfigurationFactory.ParseString(ConfigurationFactory.ParseString("x = 1").WithFallback("y = 2").ToString(true)).GetInt("y"));
    }

    [Fact]
    public void Includes_come_from_files_or_from_the_callback()
    {
        string file = Path.GetTempFileName();
        File.WriteAllText(file, "inner { a = 1 }");
        string quoted = file.Replace("\\", "\\\\", StringComparison.Ordinal);
        Config config = ConfigurationFactory.ParseString($"include \"{quoted}\"\ninclude file(\"/no/such/file\")\ninner.b = 2\ninclude = 3");

        Assert.Equal((1, 2, 3), (config.GetInt("inner.a"), config.GetInt("inner.b"), config.GetInt("include")));
        Assert.Equal(7, ConfigurationFactory.ParseString("x { include \"y\" }", name => new HoconRoot(ConfigurationFactory.ParseString($"{name} = 7").Root)).GetInt("x.y"));
        Assert.Throws<ConfigurationException>(() => ConfigurationFactory.ParseString("include required(file(\"/no/such/file\"))"));
        Assert.Throws<ConfigurationException>(() => ConfigurationFactory.ParseString("include url(\"http://example.org\")"));
        File.WriteAllText(file, $"include \"{quoted}\"");
        Assert.Throws<ConfigurationException>(() => ConfigurationFactory.ParseString($"include \"{quoted}\""));
        File.Delete(file);
    }

    [Fact]
    public void Objects_of_the_program_become_settings()
    {
        Config config = ConfigurationFactory.FromObject(new { a = new { b = 1, c = "x y" }, d = new[] { 1, 2 }, e = TimeSpan.FromSeconds(2), f = true });

        Assert.Equal((1, "x y", true), (config.GetInt("a.b"), config.GetString("a.c"), config.GetBoolean("f")));
        Assert.Equal([1, 2], config.GetIntList("d"));
        Assert.Equal(TimeSpan.FromSeconds(2), config.GetTimeSpan("e"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Damaged_text_gives_an_error_and_nothing_else(int seed)
    {
        const string sample = "a { b = [1, \"x\", ${?c}], d : \"\"\"t\"\"\" }\ne = 10s # c\ninclude \"/none\"\nf += ${a}";
        var random = new Random(seed);
        for (int i = 0; i < 20_000; i++)
        {
            char[] text = sample.ToCharArray();
            for (int change = random.Next(1, 4); change > 0; change--)
            {
                text[random.Next(text.Length)] = "{}[]\"$=:,.\n#? x"[random.Next(15)];
            }

            string damaged = new(text[..random.Next(text.Length)]);
            try
            {
                ConfigurationFactory.ParseString(damaged);
            }
            catch (ConfigurationException)
            {
                // An error with its place: that is the rule.
            }
            catch (Exception error)
            {
                Assert.Fail($"seed {seed}: {damaged}\n{error}");
            }
        }
    }

    [Fact]
    public void Deep_nesting_is_bounded() =>
        Assert.Throws<ConfigurationException>(() => ConfigurationFactory.ParseString("a = " + new string('[', 100_000)));
}
