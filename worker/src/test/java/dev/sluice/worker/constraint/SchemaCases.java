package dev.sluice.worker.constraint;

import java.util.List;

/** Twenty bounded schemas, and what a model is asked with them. */
final class SchemaCases {
  /**
   * One of them.
   *
   * @param question what the model is asked
   * @param schema what its answer must conform to
   */
  record Case(String question, String schema) {}

  static final List<Case> ALL =
      List.of(
          new Case(
              "Make up a person.",
              """
              {"type":"object","properties":{"name":{"type":"string","minLength":1,"maxLength":30},
              "age":{"type":"integer","minimum":0,"maximum":120},"email":{"type":"string",
              "format":"email"}},"required":["name","age"],"additionalProperties":false}
              """),
          new Case(
              "Is the sky blue?",
              """
              {"type":"object","properties":{"answer":{"type":"boolean"},"confidence":
              {"type":"number","minimum":0,"maximum":1}},"required":["answer","confidence"]}
              """),
          new Case(
              "What is the mood of this review: I loved every minute of it.",
              """
              {"type":"object","properties":{"mood":{"enum":["positive","negative","neutral"]},
              "because":{"type":"string","maxLength":60}},"required":["mood"]}
              """),
          new Case(
              "List three fruits.",
              """
              {"type":"array","minItems":3,"maxItems":3,"items":{"type":"string","minLength":2,
              "maxLength":20}}
              """),
          new Case(
              "Plan my day.",
              """
              {"type":"object","properties":{"tasks":{"type":"array","minItems":1,"maxItems":4,
              "items":{"type":"object","properties":{"at":{"type":"string",
              "pattern":"^([01][0-9]|2[0-3]):[0-5][0-9]$"},"what":{"type":"string",
              "maxLength":30}},"required":["at","what"]}}},"required":["tasks"]}
              """),
          new Case(
              "Where is Paris?",
              """
              {"type":"object","properties":{"latitude":{"type":"number","minimum":-90,
              "maximum":90},"longitude":{"type":"number","exclusiveMinimum":-180,"maximum":180}},
              "required":["latitude","longitude"]}
              """),
          new Case(
              "Draw a circle or a box.",
              """
              {"oneOf":[{"type":"object","properties":{"shape":{"const":"circle"},"radius":
              {"type":"integer","minimum":1,"maximum":100}},"required":["shape","radius"]},
              {"type":"object","properties":{"shape":{"const":"box"},"width":{"type":"integer",
              "minimum":1,"maximum":100},"height":{"type":"integer","minimum":1,"maximum":100}},
              "required":["shape","width","height"]}]}
              """),
          new Case(
              "Describe a small family tree.",
              """
              {"type":"object","properties":{"name":{"$ref":"#/$defs/name"},"children":
              {"type":"array","maxItems":3,"items":{"$ref":"#/$defs/child"}}},"required":["name"],
              "$defs":{"name":{"type":"string","minLength":1,"maxLength":12},"child":{"type":
              "object","properties":{"name":{"$ref":"#/$defs/name"},"age":{"type":"integer",
              "minimum":0,"maximum":60}},"required":["name","age"]}}}
              """),
          new Case(
              "What day is it?",
              """
              {"type":"object","properties":{"date":{"type":"string","format":"date"},"time":
              {"type":"string","format":"time"}},"required":["date"]}
              """),
          new Case(
              "Give me an id.",
              """
              {"type":"object","properties":{"id":{"type":"string","format":"uuid"}},
              "required":["id"]}
              """),
          new Case(
              "Call the weather tool for Berlin.",
              """
              {"anyOf":[{"type":"object","properties":{"tool":{"const":"weather"},"arguments":
              {"type":"object","properties":{"city":{"type":"string","maxLength":20},"unit":
              {"enum":["C","F"]}},"required":["city"]}},"required":["tool","arguments"]},
              {"type":"object","properties":{"tool":{"const":"clock"},"arguments":{"type":"object",
              "properties":{"zone":{"type":"string","pattern":"^[A-Z][a-z]{2,8}/[A-Z][a-z]{2,8}$"}},
              "required":["zone"]}},"required":["tool","arguments"]}]}
              """),
          new Case(
              "Write a word in quotes.",
              """
              {"type":"string","minLength":3,"maxLength":40}
              """),
          new Case(
              "Count the people at the party, or say that you do not know.",
              """
              {"anyOf":[{"type":"integer","minimum":0,"maximum":5000},{"type":"null"}]}
              """),
          new Case(
              "Give a matrix of zeros and ones.",
              """
              {"type":"array","minItems":2,"maxItems":3,"items":{"type":"array","minItems":2,
              "maxItems":3,"items":{"enum":[0,1]}}}
              """),
          new Case(
              "What do these cost?",
              """
              {"type":"object","additionalProperties":{"type":"number","minimum":0,
              "maximum":1000,"multipleOf":0.01},"maxProperties":4}
              """),
          new Case(
              "Which server should we use?",
              """
              {"type":"object","properties":{"host":{"type":"string","format":"hostname"},
              "address":{"type":"string","format":"ipv4"},"port":{"type":"integer",
              "minimum":1024,"maximum":65535}},"required":["address","port"]}
              """),
          new Case(
              "Rate this from 1 to 5.",
              """
              {"type":"integer","minimum":1,"maximum":5}
              """),
          new Case(
              "Write a recipe.",
              """
              {"type":"object","properties":{"title":{"type":"string","maxLength":30},"steps":
              {"type":"array","maxItems":3,"items":{"type":"string","maxLength":40}},"minutes":
              {"type":"integer","multipleOf":5,"minimum":5,"maximum":240},"vegan":
              {"type":["boolean","null"]}},"required":["title","steps","minutes"]}
              """),
          new Case(
              "Grade the student.",
              """
              {"allOf":[{"type":"object","properties":{"grade":{"type":"string",
              "pattern":"^[A-F][+-]?$"}},"required":["grade"]},{"properties":{"points":
              {"type":"integer","minimum":0,"maximum":100}},"required":["points"]}]}
              """),
          new Case(
              "Label this text: \u00ABDas Wetter ist sch\u00F6n.\u00BB",
              """
              {"type":"object","properties":{"language":{"enum":["English","Deutsch",
              "Fran\u00E7ais","\u65E5\u672C\u8A9E"]},"topics":{"type":"array","maxItems":2,
              "items":{"enum":["weather","sports","politics"]}}},"required":["language","topics"]}
              """));

  private SchemaCases() {}
}
